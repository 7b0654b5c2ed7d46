// What the processes have written and has not been printed: chunks as they
// came, in order, turned into prefixed lines only as fast as they are printed.
//
//   OutputQueue queue({"web", "job"}, /*color=*/false);
//   queue.Add(0, now, std::move(bytes), std::move(credit));
//   while (auto piece = queue.Next()) Print(piece->text);   // then let it go
//
// Prefixes can make thirty bytes of one. So the chunks wait unformatted, and
// the credit of a chunk is in the piece that finishes it: a process is read on
// when its output has been printed.
//
// A line is never torn by another process's: a piece ends with a line. Each
// process has its own partial line, printed when it is complete or drained.
#ifndef TROUPE_EXAMPLES_TROUPE_OUTPUT_QUEUE_H_
#define TROUPE_EXAMPLES_TROUPE_OUTPUT_QUEUE_H_

#include <ctime>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "examples/troupe/line_splitter.h"
#include "examples/troupe/prefix.h"
#include "io/bytes.h"
#include "io/credit.h"

namespace troupe {

class OutputQueue {
 public:
  OutputQueue(const std::vector<std::string>& names, bool color);

  // A chunk of the process with this index; `now` is when it came.
  void Add(size_t process, time_t now, Bytes bytes, Credit credit);

  // The process's output has ended: what is left of its line is a line.
  void AddEnd(size_t process, time_t now);

  // A line of our own, printed as it is.
  void AddText(std::string line);

  struct Piece {
    std::string text;             // whole lines
    std::vector<Credit> credits;  // of the chunks that are through
  };

  // About 64 KiB of lines, or all there is; nothing when there is nothing. A
  // piece may be empty of text: a chunk without a line end.
  std::optional<Piece> Next();

  // Forgets what the processes wrote; our own lines stay. Credits go back.
  void DropOutput();

 private:
  struct Entry {
    size_t process;
    time_t time;
    Bytes bytes;
    Credit credit;
    enum class Kind { kChunk, kEnd, kText } kind;
  };

  bool Format(Entry& entry, std::string& out);

  Prefix prefix_;
  std::vector<LineSplitter> splitters_;
  std::deque<Entry> entries_;
};

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_OUTPUT_QUEUE_H_
