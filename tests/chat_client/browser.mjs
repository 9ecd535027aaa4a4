// Runs the page's example in a headless Chromium, with the published clients as their packages give them to browsers, against
// `presence serve`, and looks at the page of the server's own. See README.md.
//
//   node browser.mjs PRESENCE_SERVE CHROMIUM

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as Ably from "ably";
import { chromium } from "playwright-core";
import { PATIENCE_MS, serve, stop } from "./server.mjs";

const executablePath = process.argv[3];
const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const example = file("page_example.js");

// A program's page of its own, from another origin than the presence server's. What it logs it shows, too.
const page_html = (options) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>${options.clientId}</title>
<style>body { font: 15px/1.5 sans-serif; margin: 2em } pre { font-size: 14px; white-space: pre-wrap }</style>
<h1></h1><pre></pre>
<script src="ably.js"></script><script src="chat.js"></script>
<script type="module">
const said = document.querySelector("pre");
const log = console.log;
console.log = (...parts) => {
  said.textContent += parts.map((part) => typeof part === "string" ? part : JSON.stringify(part)).join(" ") + "\\n";
  log(...parts);
};
document.querySelector("h1").textContent = document.title;
const realtime = new Ably.Realtime(${JSON.stringify(options)});
const chatClient = new AblyChat.ChatClient(realtime);
globalThis.user = { realtime, chatClient };
globalThis.example = async () => {
${example}
return { isBobHere, transport: realtime.connection.connectionManager.activeProtocol.getTransport().shortName };
};
</script>`;

const files = {
  "/ably.js": file("node_modules/ably/build/ably.js"),
  "/chat.js": file("node_modules/@ably/chat/dist/chat/ably-chat.umd.cjs"),
};
let pages = {};
const site = createServer((request, response) => {
  const text = files[request.url] ?? pages[request.url];
  response.writeHead(text === undefined ? 404 : 200, {
    "Content-Type": request.url.endsWith(".js") ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8",
  });
  response.end(text);
});
await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${site.address().port}`;

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const shots = new URL("shots/", import.meta.url);
mkdirSync(shots, { recursive: true });

// A user with a browser's profile of his own; whatever goes wrong in his page is a fault.
async function open(server, clientId) {
  pages[`/${clientId}`] = page_html({ ...server.options, clientId });
  const context = await browser.newContext({ viewport: { width: 640, height: 480 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.faults = [];
  page.sockets = [];
  page.on("pageerror", (error) => page.faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  page.on("websocket", (socket) => {
    page.sockets.push(socket.url());
    socket.on("framereceived", ({ payload }) => typeof payload !== "string" && page.faults.push("a binary frame"));
  });
  await page.goto(`${origin}/${clientId}`);
  return page;
}
const said = (page) => page.locator("pre").textContent();

async function pagesExample() {
  const server = await serve();
  const bob = await open(server, "bob-456");
  await bob.evaluate(async () => {
    const room = await user.chatClient.rooms.get("my-room");
    room.presence.subscribe(({ type, member }) => console.log(`${type}: ${member.clientId}`, member.data));
    await room.attach();
    await room.presence.enter({ status: "online" });
  });
  const alice = await open(server, "alice");
  const result = await alice.evaluate(() => globalThis.example());
  assert.deepEqual(result, { isBobHere: true, transport: "web_socket" });
  // As in node, it is a matter of luck whether she is told of bob, and finds herself at once.
  const lines = (await said(alice)).replace('present: bob-456\nData: {"status":"online"}\n', "").replace(/^[12] users in room\n/m, "");
  assert.equal(
    lines,
    `enter: alice
Data: {"status":"online","nickname":"Alice","avatar":"https://example.com/alice.png"}
update: alice
Data: {"status":"away"}
leave: alice
Data: {"status":"away"}
`,
  );
  await bob.locator("pre", { hasText: "leave: alice" }).waitFor();
  const bobs = (await said(bob)).split("\n").filter((line) => line.includes("alice"));
  assert.deepEqual(bobs, [
    'enter: alice {"status":"online","nickname":"Alice","avatar":"https://example.com/alice.png"}',
    'update: alice {"status":"away"}',
    'leave: alice {"status":"away"}',
  ]);
  for (const page of [alice, bob]) {
    assert.deepEqual(page.faults, []);
    assert.equal(page.sockets.length, 1, "one WebSocket each");
    assert.equal(new URL(page.sockets[0]).searchParams.get("format"), "json");
    assert.equal(new URL(page.sockets[0]).searchParams.get("heartbeats"), "true");
    await page.screenshot({ path: new URL(`${await page.title()}.png`, shots).pathname });
    await page.context().close();
  }
  await stop(server);
}

// The server's own page, in the light and in the dark, and narrow; names that are HTML are text.
async function livePage() {
  const server = await serve();
  const hostile = "</script><img src=x onerror=alert(1)>";
  const realtime = (clientId) => new Ably.Realtime({ ...server.options, clientId, logLevel: 0 });
  const users = ["alice", "bob", hostile, "c".repeat(300)].map(realtime);
  const enter = (user, room) => user.channels.get(room).presence.enter();
  for (const user of users) await enter(user, "my-room::$chat");
  await enter(users[0], `<b>${"long ".repeat(60)}</b>`);
  const { clientId, ...anybody } = server.options;
  const crowd = new Ably.Realtime({ ...anybody, logLevel: 0 });
  await Promise.all(Array.from({ length: 150 }, (_, i) => crowd.channels.get("lecture").presence.enterClient(`student-${i}`)));
  const asked = [];
  const views = { light: [1100, 700], dark: [1100, 700], narrow: [360, 700] };
  for (const [name, [width, height]] of Object.entries(views)) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: name === "dark" ? "dark" : "light" });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => faults.push(message.text()));
    page.on("dialog", (dialog) => { faults.push("a dialog"); dialog.dismiss(); });
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`http://127.0.0.1:${server.options.port}/`);
    await page.locator("#state.live").waitFor();
    await page.getByText(hostile, { exact: true }).waitFor();
    await page.getByText("150 members", { exact: true }).waitFor();
    await page.getByText("and 50 more", { exact: true }).waitFor();
    assert.equal(await page.locator("img").count(), 0);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, "nothing sticks out");
    // What changes shows by itself.
    await enter(users[1], name);
    await page.getByRole("heading", { name: `${name} 1 member` }).waitFor();
    await users[1].channels.get(name).presence.leave();
    await users[1].channels.get(name).detach();
    await page.getByRole("heading", { name: `${name} 1 member` }).waitFor({ state: "detached" });
    await page.screenshot({ path: new URL(`page-${name}.png`, shots).pathname });
    assert.deepEqual(faults, []);
    if (name === "narrow") {
      await Promise.all([...users, crowd].map((user) => { user.close(); return user.connection.whenState("closed"); }));
      await page.getByText("Nobody is here yet.").waitFor();
      await stop(server);
      await page.getByText("not connected", { exact: true }).waitFor();
    }
    await context.close();
  }
  const origin = `http://127.0.0.1:${server.options.port}`;
  assert.deepEqual([...new Set(asked)].filter((url) => url !== "data:,").sort(), ["/", "/events", "/page.js"].map((path) => origin + path));
}

let failed = false;
const checks = {
  "the page's example, two users in Chromium, in JSON": pagesExample,
  "the server's page, as it changes, in Chromium": livePage,
};
for (const [name, check] of Object.entries(checks)) {
  try {
    await Promise.race([check(), new Promise((_, reject) => setTimeout(reject, 2 * PATIENCE_MS, "it hangs").unref())]);
    console.log(`chat client: ${name}: passed`);
  } catch (error) {
    failed = true;
    console.error(error);
    console.log(`chat client: ${name}: failed`);
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
