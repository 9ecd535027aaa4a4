#ifndef SIM_BASE_CONTROLS_H_
#define SIM_BASE_CONTROLS_H_

#include <string>

namespace presence::sim {

// Escapes the control characters in what a person is to read, as in JSON strings, except line ends:
// DEL and U+0080 to U+009F, too, which JSON lets stand but terminals obey, and what turns the
// direction of writing or breaks lines elsewhere, which would make the words around it lie.
void EscapeControls(std::string& text);

}  // namespace presence::sim

#endif  // SIM_BASE_CONTROLS_H_
