// Whether to colour what goes to a stream.
//
//   UseColor(options.no_color, isatty(1) == 1, getenv("NO_COLOR"))
#ifndef TROUPE_EXAMPLES_TROUPE_COLOR_H_
#define TROUPE_EXAMPLES_TROUPE_COLOR_H_

namespace troupe {

// On a terminal only, and not when asked otherwise: by the flag, or by NO_COLOR
// with any value but the empty one (https://no-color.org). Null: not set.
inline bool UseColor(bool no_color_flag, bool is_terminal,
                     const char* no_color_variable) {
  bool asked_not = no_color_variable != nullptr && *no_color_variable != '\0';
  return is_terminal && !no_color_flag && !asked_not;
}

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_COLOR_H_
