#include "io/status_error.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "caf/atom.hpp"
#include "caf/exit_reason.hpp"
#include "caf/message.hpp"
#include "caf/sec.hpp"

namespace troupe {
namespace {

constexpr caf::atom_value kCategory = caf::atom("troupe");

absl::Status FromSystem(const caf::error& error) {
  std::string text = caf::to_string(error);
  if (error == caf::sec::request_receiver_down) {
    return absl::UnavailableError(absl::StrCat("the actor is gone: ", text));
  }
  if (error == caf::sec::unexpected_message) {
    return absl::UnimplementedError(absl::StrCat(
        "the actor takes no such message: ", text,
        " (what cannot leave its process, like a descriptor, arrives empty on "
        "another machine)"));
  }
  if (error.category() == caf::atom("exit")) return absl::CancelledError(text);
  return absl::InternalError(text);
}

// Each as `name NUL bytes-of-content NUL content`.
std::string PayloadsOf(const absl::Status& status) {
  std::string packed;
  status.ForEachPayload([&](absl::string_view name, const absl::Cord& content) {
    const absl::string_view nul("\0", 1);
    absl::StrAppend(&packed, name, nul, content.size(), nul,
                    std::string(content));
  });
  return packed;
}

void SetPayloads(absl::string_view packed, absl::Status* status) {
  while (!packed.empty()) {
    std::vector<absl::string_view> fields =
        absl::StrSplit(packed, absl::MaxSplits('\0', 2));
    size_t size = 0;
    if (fields.size() != 3 || !absl::SimpleAtoi(fields[1], &size)) return;
    status->SetPayload(fields[0], absl::Cord(fields[2].substr(0, size)));
    packed = fields[2].substr(std::min(size, fields[2].size()));
  }
}

}  // namespace

caf::error MakeError(const absl::Status& status) {
  if (status.ok()) return caf::none;
  return caf::error(static_cast<uint8_t>(status.code()), kCategory,
                    caf::make_message(std::string(status.message().data(),
                                                  status.message().size()),
                                      PayloadsOf(status)));
}

absl::Status StatusOf(const caf::error& error) {
  if (!error) return absl::OkStatus();
  const caf::message& context = error.context();
  if (error.category() != kCategory ||
      !context.match_elements<std::string, std::string>()) {
    return FromSystem(error);
  }
  absl::Status status(static_cast<absl::StatusCode>(error.code()),
                      context.get_as<std::string>(0));
  SetPayloads(context.get_as<std::string>(1), &status);
  return status;
}

}  // namespace troupe
