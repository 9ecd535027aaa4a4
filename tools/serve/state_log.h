#ifndef TOOLS_SERVE_STATE_LOG_H_
#define TOOLS_SERVE_STATE_LOG_H_

#include <string>

namespace presence::serve {

// What is damaged in the write-ahead log of an SQLite database, for people; empty: nothing, as far
// as can be known, or there is none. SQLite takes what it cannot read for the end of the log, as it
// is after a crash, and so would forget what was acknowledged behind it. Damage it is when
// something follows a commit behind it: with synchronous=FULL nothing is written there before all
// up to the commit is on the disk. So of the transaction at the end, and of the head of the commit
// before it, damage cannot be told from a write that was cut; CommitCount knows more of these.
//
// Reads the file through, a page at a time. Nobody may write it meanwhile.
std::string DamageOfLog(const std::string& path);

}  // namespace presence::serve

#endif  // TOOLS_SERVE_STATE_LOG_H_
