// What stands before each line: `12:34:56 web    | `.
//
//   Prefix prefix({"web", "client"}, /*color=*/false);
//   prefix.AppendTo(&out, time(nullptr), 0);   // "12:34:56 web    | "
//
// The names are aligned to the longest of them. With colour a name keeps its
// own from a palette, and the text behind the prefix is not coloured. The time
// is local time; formatting it is done once a second, the rest once.
#ifndef TROUPE_EXAMPLES_TROUPE_PREFIX_H_
#define TROUPE_EXAMPLES_TROUPE_PREFIX_H_

#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

namespace troupe {

class Prefix {
 public:
  Prefix(const std::vector<std::string>& names, bool color);

  // `index` is that of the name given above.
  void AppendTo(std::string* out, time_t now, size_t index);

 private:
  struct Label {
    std::string before;  // the time
    std::string after;
  };

  std::vector<Label> labels_;
  time_t shown_ = -1;
  std::string time_;  // of shown_
};

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_PREFIX_H_
