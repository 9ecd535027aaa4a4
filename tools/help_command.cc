#include "tools/help_command.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/plain_text.h"
#include "tools/traces_page.h"

namespace presence::tools {
namespace {

constexpr size_t kWidth = 79;

// The part of the page below this heading, with it.
std::string_view PartOf(std::string_view page, std::string_view heading) {
  const size_t from = std::min(page.find(heading), page.size());
  page.remove_prefix(from);
  return page.substr(0, page.find("\n## "));
}

}  // namespace

int PrintText(std::string_view text) {
  Output output;
  output.Write(text);
  output.Flush();
  return output.error().empty() ? kExitOk : OutputFailed(output);
}

int RunHelp(const CommandLine& line) {
  if (line.operands().empty()) return PrintText(Overview(Commands()));
  std::string topic = line.operands()[0];
  if (const Command* const command = FindCommand(topic)) return PrintText(HelpOf(*command));
  std::transform(topic.begin(), topic.end(), topic.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (topic == "format") return PrintText(PlainText(PartOf(kTracesPage, "## Writing"), kWidth));
  if (topic == "output") return PrintText(PlainText(PartOf(kTracesPage, "## Replaying"), kWidth));
  Complain(NoSuchCommand(line.operands()[0]));
  return kExitUsage;
}

}  // namespace presence::tools
