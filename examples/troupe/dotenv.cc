#include "examples/troupe/dotenv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsNameByte(char c, bool first) {
  auto byte = static_cast<unsigned char>(c);
  return c == '_' ||
         (first ? absl::ascii_isalpha(byte) : absl::ascii_isalnum(byte));
}

char Unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// One line, read from left to right; `at_` is the next byte.
class LineReader {
 public:
  explicit LineReader(absl::string_view line) : line_(line) {}

  // Either the variable or a problem; neither for a comment or a blank line.
  void Read() {
    if (size_t nul = line_.find('\0'); nul != absl::string_view::npos) {
      return Report(nul, "a NUL byte");
    }
    SkipBlanks();
    if (AtEndOrComment()) return;
    SkipExport();
    if (!ReadName()) return;
    SkipBlanks();
    if (at_ < line_.size() && (line_[at_] == '"' || line_[at_] == '\'')) {
      ReadQuoted(line_[at_]);
    } else {
      ReadPlain();
    }
  }

  EnvVariable variable;
  bool found = false;
  Problem problem;  // column 0: none

 private:
  bool AtEndOrComment() const {
    return at_ == line_.size() || line_[at_] == '#';
  }

  void SkipBlanks() {
    while (at_ < line_.size() && IsBlank(line_[at_])) ++at_;
  }

  void SkipExport() {
    constexpr absl::string_view kExport = "export";
    size_t end = at_ + kExport.size();
    if (line_.substr(at_, kExport.size()) != kExport) return;
    if (end == line_.size() || !IsBlank(line_[end])) return;
    at_ = end;
    SkipBlanks();
  }

  bool ReadName() {
    size_t begin = at_;
    while (at_ < line_.size() && IsNameByte(line_[at_], at_ == begin)) ++at_;
    if (at_ == line_.size()) {
      Report(at_, "no = after the name; expected NAME=value");
    } else if (line_[at_] != '=' && IsBlank(line_[at_])) {
      Report(at_, "a blank after the name; expected NAME=value");
    } else if (line_[at_] != '=') {
      size_t end = std::min(line_.find('=', at_), line_.size());
      Report(at_, absl::StrCat("bad name \"",
                               absl::Utf8SafeCHexEscape(
                                   line_.substr(begin, end - begin)),
                               "\": a name is letters, digits and _, and does "
                               "not begin with a digit"));
    } else if (at_ == begin) {
      Report(at_, "no name before the =; expected NAME=value");
    } else {
      variable.name = std::string(line_.substr(begin, at_ - begin));
      ++at_;
      return true;
    }
    return false;
  }

  // A # begins a comment after a blank only: COLOR=#fff is a colour.
  void ReadPlain() {
    size_t begin = at_;
    while (at_ < line_.size() &&
           !(line_[at_] == '#' && IsBlank(line_[at_ - 1]))) {
      ++at_;
    }
    variable.value = std::string(
        absl::StripAsciiWhitespace(line_.substr(begin, at_ - begin)));
    found = true;
  }

  void ReadQuoted(char quote) {
    size_t begin = at_++;
    for (; at_ < line_.size() && line_[at_] != quote; ++at_) {
      bool escape = quote == '"' && line_[at_] == '\\';
      if (escape && ++at_ == line_.size()) break;
      variable.value += escape ? Unescaped(line_[at_]) : line_[at_];
    }
    if (at_ >= line_.size()) {
      return Report(begin, "the quote is not closed on this line");
    }
    ++at_;
    SkipBlanks();
    if (!AtEndOrComment()) {
      return Report(at_, "text after the closing quote");
    }
    found = true;
  }

  void Report(size_t offset, absl::string_view text) {
    problem.column = static_cast<int>(offset) + 1;
    problem.text = std::string(text);
  }

  absl::string_view line_;
  size_t at_ = 0;
};

void Assign(EnvVariable variable, std::vector<EnvVariable>* variables) {
  for (EnvVariable& known : *variables) {
    if (known.name != variable.name) continue;
    known.value = std::move(variable.value);
    return;
  }
  variables->push_back(std::move(variable));
}

}  // namespace

Dotenv ParseDotenv(absl::string_view text) {
  Dotenv result;
  int number = 0;
  for (absl::string_view line : SourceLines(text)) {
    LineReader reader(line);
    reader.Read();
    reader.problem.line = ++number;
    if (reader.found) Assign(std::move(reader.variable), &result.variables);
    if (reader.problem.column > 0) {
      result.problems.push_back(std::move(reader.problem));
    }
  }
  return result;
}

}  // namespace troupe
