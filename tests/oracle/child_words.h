// In which words both players write what concerns child processes; the other
// one's are in asyncio_trace.py.
#ifndef TROUPE_TESTS_ORACLE_CHILD_WORDS_H_
#define TROUPE_TESTS_ORACLE_CHILD_WORDS_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tests/oracle/stage.h"

namespace troupe {

// `ENOENT`, or a code and, if asyncio has it, a text.
std::string WordsOf(const absl::Status& status);

// Without its words it would be traced as Troupe writes it.
absl::Status InWords(const absl::Status& status);

// Bytes as a word of a trace: long ones as their size and their sum; in short
// ones the child's own pid is PID.
std::string Shown(absl::string_view data, pid_t pid);

// What is meant by the words of an operation: `\n` and `\0` are bytes.
std::string BytesOf(const Words& words, size_t from = 0);

int IntOf(const std::string& word);

}  // namespace troupe

#endif  // TROUPE_TESTS_ORACLE_CHILD_WORDS_H_
