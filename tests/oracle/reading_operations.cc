#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/oracle/child_words.h"
#include "tests/oracle/children.h"

namespace troupe {
namespace {

using Value = absl::StatusOr<std::string>;

// The separator is put back: asyncio gives it along. `partial` is what the end
// of the stream makes of a frame: an error, or the rest.
Value Read(Stage& stage, const OracleChild& child, const ReadFrom& request,
           const std::string& separator, bool partial) {
  auto frame = Ask<Frame>(stage, child.process, request);
  if (!frame.ok()) return frame.status();
  std::string bytes(frame->bytes.view());
  if (frame->kind == Frame::Kind::kComplete) bytes += separator;
  const std::string text = Shown(bytes, child.pid);
  switch (frame->kind) {
    case Frame::Kind::kComplete:
      return text;
    case Frame::Kind::kIncomplete:
      return partial ? text : "incomplete " + text;
    case Frame::Kind::kTooLong:
      return "part " + text;
    case Frame::Kind::kTooLongEnd:
      return "last part " + text;
    case Frame::Kind::kMalformed:
      break;
  }
  return "malformed";
}

ProcessStream StreamOf(const std::string& number) {
  return static_cast<ProcessStream>(IntOf(number));
}

void AddReading(Stage::Operations& operations, const SharedChildren& children) {
  operations["line"] = [=](Stage& stage, const Words& words) {
    return Read(stage, children->child(words.at(0)),
                {StreamOf(words.at(1)), ReadLine{}}, "\n", true);
  };
  operations["line-within"] = [=](Stage& stage, const Words& words) {
    return Read(stage, children->child(words.at(1)),
                {StreamOf(words.at(2)), ReadLine{}, ParseMs(words[0])}, "\n",
                true);
  };
  operations["upto"] = [=](Stage& stage, const Words& words) {
    const std::string separator = BytesOf(words, 2);
    return Read(stage, children->child(words.at(0)),
                {StreamOf(words.at(1)), ReadUntil{separator}}, separator,
                false);
  };
  operations["exactly"] = [=](Stage& stage, const Words& words) {
    const size_t size = IntOf(words.at(2));
    return Read(stage, children->child(words.at(0)),
                {StreamOf(words.at(1)), ReadExactly{size}}, "", false);
  };
  operations["some"] = [=](Stage& stage, const Words& words) {
    const size_t most = IntOf(words.at(2));
    return Read(stage, children->child(words.at(0)),
                {StreamOf(words.at(1)), ReadAvailable{most}}, "", true);
  };
  operations["rest"] = [=](Stage& stage, const Words& words) {
    return Read(stage, children->child(words.at(0)),
                {StreamOf(words.at(1)), ReadAll{}}, "", true);
  };
}

void AddWaitingToWrite(Stage::Operations& operations,
                       const SharedChildren& children) {
  operations["drain"] = [=](Stage& stage, const Words& words) -> Value {
    auto drained = Ask<Drained>(stage, children->child(words.at(0)).process,
                                Write{Bytes(BytesOf(words, 1)), {}});
    if (!drained.ok()) return drained.status();
    return "done";
  };
  operations["wait-closed"] = [=](Stage& stage, const Words& words) -> Value {
    auto closed = Ask<StreamClosed>(stage, children->child(words.at(0)).process,
                                    WaitForClose{});
    if (!closed.ok()) return closed.status();
    if (!closed->why.ok()) return InWords(closed->why);
    return "done";
  };
}

}  // namespace

void AddReadingOperations(Stage::Operations& operations,
                          const SharedChildren& children) {
  AddReading(operations, children);
  AddWaitingToWrite(operations, children);
}

}  // namespace troupe
