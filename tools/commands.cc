#include "tools/commands.h"

#include <limits>

#include "sim/capture/generator_options.h"
#include "tools/nearest.h"

namespace presence::tools {
namespace {

constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

using Options = sim::GeneratorOptions;

// Flags that several commands take are the same in all of them.
Flag ProgressFlag() {
  return {.name = "progress",
          .takes_value = true,
          .choices = {"auto", "on", "off"},
          .help = "a progress bar on standard error; auto, unless given: on a terminal only"};
}
Flag OutputFileFlag() {
  return {.name = "o",
          .takes_value = true,
          .value = "FILE",
          .help =
              "write into this file instead of standard output; a name that ends in .gz makes a "
              "compressed one"};
}
Flag ChannelFlag() {
  return {.name = "channel",
          .takes_value = true,
          .value = "NAME",
          .help = "write only what concerns this channel"};
}
Flag KeepGoingFlag() {
  return {.name = "keep-going", .help = "skip malformed lines, report and count them"};
}
Flag Number(std::string_view name, uint64_t low, uint64_t high, std::string_view help) {
  return {.name = name, .takes_value = true, .value = "N", .help = help, .low = low, .high = high};
}

Flag Time(std::string_view name, std::string_view help) {
  return {.name = name, .takes_value = true, .value = "TIME", .help = help};
}

Command Import() {
  return {
      .name = "import",
      .summary =
          "makes a trace of a session that somebody captured: of a HAR, a client's log, or "
          "copied messages",
      .operands = "FILE",
      .least_operands = 1,
      .most_operands = 1,
      .operand_name = "file",
      .about =
          "Makes a trace of one client's session: of a HAR (from Chrome, Edge, Playwright, "
          "mitmproxy), of a log of ably-js at level 4, of messages copied out of the developer "
          "tools, or of the events (cdp) that a browser tells its drivers. \"-\" is standard "
          "input, a name ending in .gz is decompressed. What cannot be "
          "read for certain is left out, and named with its line. Of several clients --client "
          "chooses one; with -o FOLDER/ (a name that ends in /) each gets a trace there.",
      .flags =
          {
              {.name = "from",
               .takes_value = true,
               .choices = {"auto", "har", "ably-log", "frames", "cdp"},
               .help = "what FILE is; auto, unless given: its beginning tells"},
              Number("client", 1, 1'000'000, "of a capture of several clients, this one"),
              OutputFileFlag(),
              {.name = "redact",
               .choices = {"all"},
               .help = "replace keys, tokens and connection keys by stand-ins; with =all client "
                       "ids, channel names and payloads, too: a trace that can be published"},
              ProgressFlag(),
          },
      .examples =
          {
              {"What happened in a session that a browser recorded",
               "presence import session.har | presence replay --output=text -"},
              {"Traces of all clients of a page, to be published",
               "presence import --redact=all -o sessions/ page.har"},
          },
      .exit_status =
          "0 done; 1 something was left out, nothing was found, or the output could not be "
          "written; 2 wrong usage, a file that cannot be opened, or several clients of which none "
          "was chosen; 130 interrupted; "
          "141 nobody read on.",
  };
}

Command Replay() {
  return {
      .name = "replay",
      .summary =
          "who was present, when and why: feeds recorded sessions to the engine and writes "
          "what comes out",
      .operands = "TRACE...",
      .least_operands = 1,
      .most_operands = kAnyNumber,
      .operand_name = "trace",
      .about =
          "Feeds traces to the engine and writes what comes out. A trace is a file of JSON "
          "Lines: frames, calls and changes of the connection (presence help format); \"-\" is "
          "standard input, a name ending in .gz is decompressed. Several traces are separate "
          "runs.",
      .flags =
          {
              {.name = "output",
               .takes_value = true,
               .choices = {"jsonl", "text", "none"},
               .help = "what to write: JSON Lines for programs (jsonl, unless given), lines for "
                       "people, nothing"},
              OutputFileFlag(),
              ChannelFlag(),
              {.name = "expect",
               .takes_value = true,
               .value = "FILE",
               .help = "compare with a recorded output instead of writing; the first difference "
                       "ends the run"},
              {.name = "check",
               .help = "check the invariants at every line; the first violation ends the run"},
              KeepGoingFlag(),
              {.name = "stats", .help = "lines, frames, items/s and MB/s on standard error"},
              ProgressFlag(),
          },
      .examples =
          {
              {"What happened in a session, for people",
               "presence replay --output=text session.jsonl"},
              {"Whether everything in it is as it should be",
               "presence replay --check --output=none session.jsonl"},
              {"Everything that one user did",
               "presence replay session.jsonl.gz | grep '\"clientId\":\"ada\"'"},
          },
      .exit_status =
          "0 done; 1 a check, an expectation or an input line failed, or the output "
          "could not be written; 2 wrong usage or a file that cannot be opened; 130 "
          "interrupted; 141 nobody read on.",
  };
}

Command Explain() {
  return {
      .name = "explain",
      .summary =
          "what each line of a session did, by which rule; and why somebody is shown as "
          "present, or is not",
      .operands = "TRACE",
      .least_operands = 1,
      .most_operands = 1,
      .operand_name = "trace",
      .about =
          "Replays a trace and tells it for people: for each line that did something, what it is, "
          "and what became of each thing in it, with the rule (such as RTP2b2, of the presence "
          "specification), what it was compared with, and the line that this came from. \"-\" is "
          "standard input, a name ending in .gz is decompressed. With --why-present or "
          "--why-absent only the answer is written, a paragraph for each channel that knows the "
          "client.",
      .flags =
          {
              {.name = "why-present",
               .takes_value = true,
               .value = "CLIENT",
               .help = "why is CLIENT shown as present: the lines that made it so, and what would "
                       "have changed it"},
              {.name = "why-absent",
               .takes_value = true,
               .value = "CLIENT",
               .help = "the same of a CLIENT who is not shown"},
              {.name = "at",
               .takes_value = true,
               .value = "LINE|TIME",
               .help = "not at the end, but after this line, or at this time (UTC): 17, "
                       "08:15:21.886, 2026-11-25T08:15:21Z, 1795563142164; without a question: "
                       "what happened then, and what the state was"},
              {.name = "member",
               .takes_value = true,
               .value = "CLIENT[@CONNECTION]",
               .help = "tell only what concerns this client, or one connection of it"},
              ChannelFlag(),
              KeepGoingFlag(),
              ProgressFlag(),
          },
      .examples =
          {
              {"Why is frank not shown any more, from a browser's capture",
               "presence import session.har | presence explain --why-absent=frank -"},
              {"Everything that befell one user", "presence explain --member=ada session.jsonl"},
              {"What was so at a quarter past eight",
               "presence explain --at=08:15:00 session.jsonl"},
          },
      .exit_status =
          "0 done; 1 an input line failed, or the output could not be written; 2 wrong usage or a "
          "file that cannot be opened; 130 interrupted; "
          "141 nobody read on.",
  };
}

Command Timeline() {
  return {
      .name = "timeline",
      .summary = "a page for a browser that shows a session: who was there, when and why",
      .operands = "TRACE",
      .least_operands = 1,
      .most_operands = 1,
      .operand_name = "trace",
      .about =
          "Writes one page of HTML that needs nothing else, and no network: a lane for each "
          "member, syncs with their pages, calls with their answers, what was dropped and who was "
          "swept. "
          "Whatever is pointed at says which line and which rule made it so; a click shows the "
          "chain of causes. -o says where the page goes, and must be given. The page holds ids of "
          "members, connections and calls, and no payloads. TRACE may be \"-\", standard input, or "
          "a name ending in .gz. A page holds 250,000 items; of a "
          "longer trace it shows the beginning, and says so.",
      .flags =
          {
              OutputFileFlag(),
              ChannelFlag(),
              KeepGoingFlag(),
              ProgressFlag(),
          },
      .examples =
          {
              {"A session to look at in a browser",
               "presence timeline -o session.html session.jsonl"},
              {"The same, right from what a browser recorded",
               "presence import session.har | presence timeline -o session.html -"},
          },
      .exit_status =
          "0 done; 1 the trace could not be read to its end, nothing happened in it, or the page "
          "could not be written; 2 wrong usage or a file that cannot be opened; 130 interrupted; "
          "141 nobody read on.",
  };
}

Command Generate() {
  return {
      .name = "generate",
      .summary = "makes the trace of a session that never was, of any size",
      .about =
          "Writes a trace such as a client would have recorded in a room whose server keeps to the "
          "rules: with it, replay and what reads its output can be tried and measured. The same "
          "command gives the same bytes on every machine. It ends with lines that say what a "
          "replay "
          "should have come to, which replay --check holds it to; where there are so many members "
          "that they would not fit into one line, without these.",
      .flags =
          {
              {.name = "profile",
               .takes_value = true,
               .choices = {"steady", "storm", "reconnects"},
               .help = "what happens; steady (unless given): members come, change and go. storm: "
                       "all come at "
                       "once, then all go, again and again. reconnects: as steady, but the client "
                       "loses its connection, resumes it or not, and enters again; others lose "
                       "theirs, too"},
              Number("members", 1, Options::kMaxMembers,
                     "members beside the client's own, about (20)"),
              Number("frames", 1, Options::kMaxFrames,
                     "frames from the server (1000); what is under way then is finished"),
              Number("rate", 1, Options::kMaxRate, "frames a second, on average (10)"),
              Number(
                  "sync-every", 0, Options::kMaxFrames,
                  "frames until the server starts a sync by itself (0: none but after ATTACHED)"),
              Number("page", 1, Options::kMaxPage, "members on a page of a sync (100)"),
              Number("payload", 0, Options::kMaxPayload,
                     "bytes of data that a message carries (64); a few more if less would say "
                     "nothing, and none at 0"),
              Number("connections-per-client", 1, Options::kMaxConnectionsPerClient,
                     "connections that each user has (1)"),
              Number("seed", 0, std::numeric_limits<int64_t>::max(),
                     "of all that is left to chance (1)"),
              OutputFileFlag(),
              ProgressFlag(),
          },
      .examples =
          {
              {"A session to look at",
               "presence generate --frames=50 | presence replay --output=text -"},
              {"A million frames, to measure something with",
               "presence generate --members=10000 --frames=1000000 -o big.jsonl.gz"},
              {"A bad day of a mobile phone",
               "presence generate --profile=reconnects --seed=7 | presence replay --check -"},
          },
      .exit_status =
          "0 done; 1 the output could not be written; 2 wrong usage or a file that "
          "cannot be opened; 130 interrupted; "
          "141 nobody read on.",
  };
}

Command Simulate() {
  return {
      .name = "simulate",
      .summary =
          "runs the engine in a simulated world with faults, and checks that everybody is "
          "told the truth",
      .about =
          "Runs the engine in a simulated world: room hosts, clients with their engines, and "
          "the network between them, on virtual time, with faults drawn from a seed; and "
          "checks at every step that everybody is told the truth. The same command gives the "
          "same run on every machine.",
      .flags =
          {
              Number("seed", 0, std::numeric_limits<int64_t>::max(), "the first seed (1)"),
              Number("seeds", 1, 1'000'000'000'000, "how many seeds, from that one on (1)"),
              Number("clients", 1, 100'000, "clients in each world (6)"),
              Number("rooms", 1, 10'000, "rooms in each world (1); clients are spread over them"),
              {.name = "duration",
               .takes_value = true,
               .value = "TIME",
               .help = "virtual time in which users act and faults happen: 500ms, 30s, 5m (30s). "
                       "Afterwards all must become quiet and agree within 2m"},
              {.name = "faults",
               .takes_value = true,
               .value = "LIST",
               .help = "all, none, or names with commas between (all). Each seed draws which of "
                       "them happen, and how often: cut, late-resume, region-cut, stall, pause, "
                       "host-restart, sync-restart, leave-in-sync, stale-page, duplicate-page, "
                       "clock-skew, malformed-item, listener-calls; and with datagrams reorder, "
                       "duplicate, lose"},
              {.name = "transport",
               .takes_value = true,
               .choices = {"stream", "datagram"},
               .help = "with datagrams, presence messages and pages may be lost, repeated and "
                       "reordered (stream)"},
              Number("jobs", 1, 1'024, "threads (1); the result does not depend on it"),
              {.name = "record",
               .takes_value = true,
               .value = "DIR",
               .help = "write each client's session into DIR, as a trace and as what its engine "
                       "said: seed-N-client-K.jsonl and .expected.jsonl, for presence replay "
                       "--check --expect=EXPECTED TRACE"},
              {.name = "shrink", .help = "if a seed fails, leave out of it what it can do without"},
              {.name = "only-steps",
               .takes_value = true,
               .value = "LIST",
               .help = "take only these steps of the plan, such as 0-3,7: what --shrink prints"},
              ProgressFlag(),
          },
      .examples =
          {
              {"A thousand worlds, and the smallest failure of one that fails",
               "presence simulate --seeds=1000 --jobs=2 --shrink"},
              {"What clients see when the region is cut off",
               "presence simulate --seed=4 --faults=region-cut --record=sessions"},
          },
      .exit_status =
          "0 all invariants held; 1 one was violated, or a file could not be written; 2 "
          "wrong usage; 130 interrupted; 141 nobody read on. A violation is told with the "
          "invariant, the step, the seed, the one command that reproduces it, and the trace of a "
          "client that shows it.",
  };
}

Command Serve() {
  return {
      .name = "serve",
      .summary = "a presence server that chat clients connect to, unchanged",
      .about =
          "Serves presence over WebSockets, for published chat clients as they are: to develop and "
          "test against, without an account or a network. It prints where it listens, and what a "
          "client's options are. It keeps everything in memory, unless there is a --state, and "
          "ends "
          "at SIGTERM or Ctrl-C, having told everybody. TLS is the work of a proxy in front of it.",
      .flags =
          {
              {.name = "listen",
               .takes_value = true,
               .value = "ADDRESS:PORT",
               .help = "where to listen (127.0.0.1:0); port 0 is one that is free",
               .elsewhere = {"port", "host", "address", "bind"}},
              {.name = "key",
               .takes_value = true,
               .value = "NAME:SECRET[:CAPABILITY]",
               .help = "a key that is good; may be given several times. The capability is JSON, "
                       "such as {\"guests:*\":[\"presence\",\"subscribe\"]}; without one, "
                       "everything is permitted. Unless given, there is one for development, on "
                       "loopback addresses only"},
              Time("grace",
                   "how long members stay whose connection is lost (15s), unless it asks for "
                   "another time, up to --max-grace"),
              Time("max-grace", "the longest time that a connection may ask for (2m)"),
              Time("resume", "how long a lost connection can be resumed (2m)"),
              Time("idle", "how often who is silent is pinged (15s); after twice that, he is lost"),
              Time("batch",
                   "gather changes of a room for so long, to tell them together; unless given, or "
                   "with 0, each is told at once"),
              Number("max-connections", 1, 10'000'000, "connections, lost ones included (100000)"),
              Number("max-rooms", 1, 10'000'000, "rooms (100000)"),
              Number("max-members", 1, 10'000'000, "members of one room (100000)"),
              Number("max-members-mib", 1, 1'000'000,
                     "MiB of ids and payloads of the members of one room (1024)"),
              Number("max-channels", 1, 1'000'000, "rooms of one connection (1000)"),
              Number("max-message", 1, 1 << 28, "bytes of what one operation says (65536)"),
              Number("max-frame-kib", 1, 1 << 20, "KiB of a message from a client (512)"),
              Number("max-in-flight", 1, 1'000'000,
                     "operations of one connection that are not told yet, and in one frame (1000)"),
              Number("max-client-unsent-kib", 1, 1'000'000'000,
                     "KiB that one socket may not have taken yet before it is dropped (8192); its "
                     "syncs wait at an eighth of it"),
              Number("max-unsent-mib", 1, 1'000'000,
                     "MiB that all sockets together may not have taken yet (1024)"),
              Number("page", 1, 1'000'000, "members on one page of a sync (100)"),
              {.name = "state",
               .takes_value = true,
               .value = "FILE",
               .help = "an SQLite database in which all that is acknowledged is kept, over the end "
                       "of this process and of the machine; made if there is none"},
              {.name = "record",
               .takes_value = true,
               .value = "DIR",
               .help = "write each connection's session down, as a trace for replay and explain"},
              Number("record-files", 1, 1'000'000,
                     "files of sessions, of which the oldest make room (1000)"),
              Number("record-mib", 1, 10'000'000, "MiB of all of them (1024)"),
              Number("record-file-mib", 1, 10'000'000, "MiB of one (64)"),
              {.name = "faults",
               .help = "let programs on this machine ask for faults, by POST /faults: lost "
                       "connections, delays, refusals; for tests of chat programs"},
              {.name = "sandbox",
               .help =
                   "let anybody make apps with keys of their own, by POST /apps: for test suites "
                   "of clients"},
              {.name = "verbose", .help = "a line on standard error for whatever happens"},
          },
      .examples =
          {
              {"Something to develop a chat program against", "presence serve --verbose"},
              {"For others, behind a proxy that has the certificate",
               "presence serve --listen=127.0.0.1:8080 --key=\"app.web:$SECRET\""},
              {"One whose members outlive it", "presence serve --state=presence.db"},
              {"Guests who may look on, and nothing else",
               "presence serve --key='app.guest:look:{\"*\":[\"subscribe\"]}'"},
          },
      .exit_status =
          "0 ended by a signal; 2 wrong usage, the address cannot be listened on, or the "
          "state cannot be used.",
  };
}

Command Help() {
  return {
      .name = "help",
      .summary = "all about a command, or about the format of traces and of what comes out",
      .operands = "[COMMAND|format|output]",
      .most_operands = 1,
      .operand_choices = {"format", "output"},
      .about = "Without an argument, lists the commands.",
      .examples =
          {
              {"What a trace may hold", "presence help format"},
              {"What replay writes", "presence help output"},
          },
      .exit_status = "0 done; 2 there is no such thing.",
  };
}

Command Completion() {
  return {
      .name = "completion",
      .summary = "a script that lets a shell complete commands and flags",
      .operands = "bash|zsh",
      .least_operands = 1,
      .most_operands = 1,
      .operand_name = "shell",
      .operand_choices = {"bash", "zsh"},
      .about = "Writes it to standard output.",
      .examples =
          {
              {"In bash, for this shell", "source <(presence completion bash)"},
              {"In zsh, for all to come", "presence completion zsh >\"${fpath[1]}/_presence\""},
          },
      .exit_status = "0 done; 1 the output could not be written; 2 wrong usage.",
  };
}

}  // namespace

const std::vector<Command>& Commands() {
  static const auto* const commands =
      new std::vector<Command>{Import(),   Replay(), Explain(), Timeline(),  Generate(),
                               Simulate(), Serve(),  Help(),    Completion()};
  return *commands;
}

const Command* FindCommand(std::string_view name) {
  for (const Command& command : Commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

std::string NoSuchCommand(std::string_view name) {
  std::vector<std::string> known;
  for (const Command& command : Commands()) known.emplace_back(command.name);
  known.emplace_back("--version");
  known.emplace_back("--help");
  std::string text = name.starts_with('-') ? "unknown flag " + std::string(name)
                                           : "no command \"" + std::string(name) + "\"";
  const std::string nearest = Nearest(name, known);
  if (!nearest.empty()) text += " (did you mean " + nearest + "?)";
  return text + "; see presence --help";
}

}  // namespace presence::tools
