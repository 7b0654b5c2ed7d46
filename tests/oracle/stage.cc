#include "tests/oracle/stage.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace troupe {

Script ReadScript(std::istream& in) {
  Script script;
  std::string name;
  for (std::string line; std::getline(in, line);) {
    Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) continue;
    if (line[0] == ' ') {
      script[name].push_back(std::move(words));
    } else {
      name = line.substr(0, line.find(':'));
    }
  }
  return script;
}

void Trace(const std::string& line) {
  const std::string text = line + "\n";
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) std::abort();
}

std::string PythonBool(bool value) { return value ? "True" : "False"; }

std::string JoinWords(const Words& words, size_t from) {
  return absl::StrJoin(words.begin() + from, words.end(), " ");
}

absl::Duration ParseMs(const std::string& ms) {
  double value = 0;
  if (!absl::SimpleAtod(ms, &value)) std::abort();
  return absl::Milliseconds(1) * value;
}

Stage::Stage(System& system, Script script)
    : system_(system),
      script_(std::move(script)),
      first_(NewLoop()),
      loop_(first_.get()) {
  SetZero();
}

Stage::~Stage() {
  for (std::thread& thread : threads_) thread.join();
}

std::unique_ptr<Loop> Stage::NewLoop() {
  Loop::Options options;
  options.log = [](absl::string_view report) {
    for (absl::string_view line : absl::StrSplit(report, '\n')) {
      Trace(absl::StrCat("log: ", line));
    }
  };
  auto loop = Loop::Create(system_, std::move(options));
  if (!loop.ok()) std::abort();
  return *std::move(loop);
}

void Stage::Perform(const std::string& name) {
  const int run = ++runs_[name];
  auto found = script_.find(name);
  if (found == script_.end()) return;
  for (const Words& words : found->second) {
    if (words[0] != "on") {
      Do(words);
    } else if (words.at(1) == absl::StrCat(run)) {
      Do(Words(words.begin() + 2, words.end()));
    }
  }
}

void Stage::Do(const Words& words) {
  auto found = operations_.find(words.at(0));
  if (found == operations_.end()) {
    Trace(absl::StrCat("no such operation: ", JoinWords(words)));
    std::abort();
  }
  auto value = found->second(*this, Words(words.begin() + 1, words.end()));
  if (!value.ok()) {
    Trace(absl::StrCat(JoinWords(words), " ! ", value.status().message()));
  } else if (!value->empty()) {
    Trace(absl::StrCat(JoinWords(words), " -> ", *value));
  }
}

Callback Stage::CallbackOf(const std::string& name) {
  return [this, name] {
    if (silent_.count(name) == 0) Trace(name);
    Perform(name);
  };
}

absl::StatusOr<std::string> Stage::Keep(const std::string& name,
                                        CallHandle handle) {
  const absl::Status status = handle.status();
  if (!status.ok()) return status;
  handles_[name] = std::move(handle);
  return "";
}

void Stage::InBackground(std::function<void()> what) {
  threads_.emplace_back(std::move(what));
}

void Stage::OnOtherLoop(const std::function<void()>& what) {
  if (!second_) second_ = NewLoop();
  Loop* before = std::exchange(loop_, second_.get());
  what();
  loop_ = before;
}

}  // namespace troupe
