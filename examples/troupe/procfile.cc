#include "examples/troupe/procfile.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace troupe {
namespace {

constexpr char kSyntax[] = "`name: command`";

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
         c == '-';
}

// `# troupe: rest`; nothing for any other line.
std::optional<absl::string_view> SettingIn(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "#")) return std::nullopt;
  line = absl::StripLeadingAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "troupe:")) return std::nullopt;
  return absl::StripAsciiWhitespace(line);
}

class Parser {
 public:
  Procfile Parse(absl::string_view text) {
    for (absl::string_view line : SourceLines(text)) {
      ++number_;
      ReadLine(line);
    }
    DropSetting();
    auto& problems = result_.problems;
    if (result_.entries.empty() && problems.empty()) {
      problems.push_back({1, 1, absl::StrCat("no process: no line ", kSyntax)});
    }
    return std::move(result_);
  }

 private:
  struct Setting {
    Problem unused;  // told if no process follows
    std::optional<OnExit> on_exit;
  };

  void ReadLine(absl::string_view line) {
    if (size_t nul = line.find('\0'); nul != absl::string_view::npos) {
      setting_.reset();
      return Report(nul, "a NUL byte");
    }
    absl::string_view content = absl::StripAsciiWhitespace(line);
    if (auto setting = SettingIn(line)) {
      ReadSetting(*setting, setting->data() - line.data());
    } else if (content.empty() || content.front() == '#') {
      DropSetting();
    } else {
      ReadProcess(line);
      setting_.reset();
    }
  }

  void ReadSetting(absl::string_view setting, size_t at) {
    if (setting_.has_value()) {
      Report(at, absl::StrCat("a second setting; the first is on line ",
                              setting_->unused.line));
      return;
    }
    setting_.emplace();
    setting_->unused = At(at, "this setting is not directly above a process");
    absl::string_view value = setting;
    if (absl::ConsumePrefix(&value, "on-exit=")) {
      setting_->on_exit = ParseOnExit(value);
    }
    if (!setting_->on_exit.has_value()) {
      Report(at, absl::StrCat("unknown setting \"",
                              absl::Utf8SafeCHexEscape(setting),
                              "\"; there is on-exit=stop, restart and ignore"));
    }
  }

  // Told once: a setting that is unknown has been told already.
  void DropSetting() {
    if (setting_.has_value() && setting_->on_exit.has_value()) {
      result_.problems.push_back(setting_->unused);
    }
    setting_.reset();
  }

  void ReadProcess(absl::string_view line) {
    size_t colon = line.find(':');
    if (colon == absl::string_view::npos) {
      return Report(0, absl::StrCat("no colon; expected ", kSyntax));
    }
    absl::string_view name = line.substr(0, colon);
    absl::string_view command =
        absl::StripAsciiWhitespace(line.substr(colon + 1));
    bool sound = CheckName(name);
    if (command.empty()) {
      Report(colon + 1,
             sound ? absl::StrCat(name, " has no command") : "no command");
      sound = false;
    }
    if (!sound) return;
    std::optional<OnExit> on_exit;
    if (setting_.has_value()) on_exit = setting_->on_exit;
    result_.entries.push_back(
        {std::string(name), std::string(command), number_, on_exit});
  }

  bool CheckName(absl::string_view name) {
    auto bad = std::find_if_not(name.begin(), name.end(), IsNameByte);
    if (name.empty()) {
      Report(0, absl::StrCat("no name before the colon; expected ", kSyntax));
      return false;
    }
    if (bad != name.end()) {
      Report(bad - name.begin(),
             absl::StrCat("bad name \"", absl::Utf8SafeCHexEscape(name),
                          "\": a name is letters, digits, _ and -"));
      return false;
    }
    auto [first, inserted] = first_lines_.emplace(name, number_);
    if (inserted) return true;
    Report(0, absl::StrCat(name, " is already there on line ", first->second));
    return false;
  }

  Problem At(size_t offset, absl::string_view text) const {
    return {number_, static_cast<int>(offset) + 1, std::string(text)};
  }

  void Report(size_t offset, absl::string_view text) {
    result_.problems.push_back(At(offset, text));
  }

  Procfile result_;
  std::map<std::string, int, std::less<>> first_lines_;
  std::optional<Setting> setting_;  // of the line above
  int number_ = 0;
};

}  // namespace

Procfile ParseProcfile(absl::string_view text) { return Parser().Parse(text); }

}  // namespace troupe
