#include "tests/support/protocol_notes.h"

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

void Run(const std::function<void()>& script) {
  if (script) script();
}

}  // namespace

std::string Describe(const ConnectionLost& lost) {
  std::string text =
      absl::StrCat("CL(", lost.why.ok() ? "None" : lost.why.message(), ")");
  if (lost.bytes_lost > 0) absl::StrAppend(&text, " lost ", lost.bytes_lost);
  if (lost.writes_refused > 0) {
    absl::StrAppend(&text, " refused ", lost.writes_refused);
  }
  return text;
}

void ProtocolNotes::Made() const {
  Add("CM");
  Run(script.made);
}

void ProtocolNotes::Data(DataReceived& data) const {
  if (!script.forget) received->append(data.bytes.data(), data.bytes.size());
  Add(absl::StrCat("DR(", data.bytes.size(), ")"));
  if (script.data) script.data(data);
}

void ProtocolNotes::Eof() const {
  Add("EOF");
  Run(script.eof);
}

void ProtocolNotes::Paused() const { Add("PAUSE"); }

void ProtocolNotes::Resumed() const {
  Add("RESUME");
  Run(script.resumed);
}

void ProtocolNotes::Lost(const ConnectionLost& lost) const {
  Add(Describe(lost));
}

}  // namespace troupe
