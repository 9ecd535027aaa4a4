// One user's program: runs page_example.js, as it is printed, against the server that the options name, and says as its last
// line what the example has computed and not shown. node one_user.mjs OPTIONS [stay]: the options as JSON; who stays does what
// comes before the example's leaving, and then nothing until it is killed.

import { readFileSync } from "node:fs";
import { ChatClient } from "@ably/chat";
import * as Ably from "ably";

const options = JSON.parse(process.argv[2]);
const example = readFileSync(new URL("page_example.js", import.meta.url), "utf8");
const [stays] = example.split("// Leave when done");
const AsyncFunction = (async () => {}).constructor;

const realtime = new Ably.Realtime(options);
const chatClient = new ChatClient(realtime);
if (process.argv[3] === "stay") {
  await new AsyncFunction("chatClient", stays)(chatClient);
  await new Promise(() => {});
}
const run = new AsyncFunction("chatClient", `${example}\nreturn { isBobHere };`);
console.log(JSON.stringify(await run(chatClient)));
await chatClient.dispose();
realtime.close();
