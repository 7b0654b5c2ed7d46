#include "examples/troupe/prefix.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// Readable on black and on white: no black, white, yellow; no red, which looks
// like an error. The bright ones follow.
constexpr int kPalette[] = {36, 32, 35, 34, 96, 92, 95, 94};

}  // namespace

Prefix::Prefix(const std::vector<std::string>& names, bool color) {
  size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  for (const std::string& name : names) {
    int hue = kPalette[labels_.size() % std::size(kPalette)];
    labels_.push_back(
        {color ? absl::StrCat("\x1b[", hue, "m") : "",
         absl::StrCat(" ", name, std::string(width - name.size(), ' '), " | ",
                      color ? "\x1b[0m" : "")});
  }
}

void Prefix::AppendTo(std::string* out, time_t now, size_t index) {
  if (now != shown_ || time_.empty()) {
    tm local = {};
    localtime_r(&now, &local);
    char text[16];
    time_.assign(text, strftime(text, sizeof text, "%H:%M:%S", &local));
    shown_ = now;
  }
  const Label& label = labels_[index];
  absl::StrAppend(out, label.before, time_, label.after);
}

}  // namespace troupe
