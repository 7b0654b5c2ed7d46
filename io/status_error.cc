#include "io/status_error.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "caf/atom.hpp"
#include "caf/exit_reason.hpp"
#include "caf/message.hpp"
#include "caf/sec.hpp"
#include "io/os_error.h"

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

}  // namespace

caf::error MakeError(const absl::Status& status) {
  if (status.ok()) return caf::none;
  OsFailure failure = OsFailureOf(status).value_or(OsFailure());
  return caf::error(
      static_cast<uint8_t>(status.code()), kCategory,
      caf::make_message(
          std::string(status.message().data(), status.message().size()),
          failure.step, failure.path, failure.error_number));
}

absl::Status StatusOf(const caf::error& error) {
  if (!error) return absl::OkStatus();
  const caf::message& context = error.context();
  if (error.category() != kCategory ||
      !context.match_elements<std::string, std::string, std::string, int>()) {
    return FromSystem(error);
  }
  absl::Status status(static_cast<absl::StatusCode>(error.code()),
                      context.get_as<std::string>(0));
  int error_number = context.get_as<int>(3);
  if (error_number != 0) {  // whose text may have been added to
    OsError(error_number, context.get_as<std::string>(1),
            context.get_as<std::string>(2))
        .ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
          status.SetPayload(url, payload);
        });
  }
  return status;
}

}  // namespace troupe
