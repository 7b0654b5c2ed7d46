// Bytes in, whole lines out: one splitter for each stream of each process.
//
//   LineSplitter splitter;
//   splitter.Add("one\ntw", print);   // print({"one", false})
//   splitter.Add("o", print);
//   splitter.Finish(print);           // print({"two", false})
//
// A line ends in LF, which is left out; all other bytes are kept as they are. A
// line over 64 KiB comes in pieces of exactly 64 KiB, each but the last with
// `cut` set; it is printed with kCutMark behind it. No whole line is that long,
// so 64 KiB and a mark is always a cut, and joining the pieces gives the line.
//
// Time is linear in the bytes, however they are split. A line that lies in one
// call's bytes is a view into them, else into the splitter; either way it is
// good until the sink returns. The sink must not call the splitter.
#ifndef TROUPE_EXAMPLES_TROUPE_LINE_SPLITTER_H_
#define TROUPE_EXAMPLES_TROUPE_LINE_SPLITTER_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace troupe {

inline constexpr size_t kLongestLine = 64 * 1024;

// As the shell continues a line: the line feed behind it is not there.
inline constexpr absl::string_view kCutMark = "\\";

struct SplitLine {
  absl::string_view text;
  bool cut;  // more of this line follows
};

class LineSplitter {
 public:
  using Sink = absl::FunctionRef<void(SplitLine)>;

  void Add(absl::string_view bytes, Sink sink);

  // The stream has ended: what is left, if anything, is the last line.
  void Finish(Sink sink);

 private:
  std::string partial_;  // without LF, at most kLongestLine
};

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_LINE_SPLITTER_H_
