#include "io/transport_info.h"

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

using Kind = TransportInfo::Kind;

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kRead:
      return "ReadTransport";
    case Kind::kWrite:
      return "WriteTransport";
    case Kind::kStream:
      return "StreamTransport";
    case Kind::kDatagram:
      return "DatagramTransport";
  }
  return "Transport";
}

const char* Doing(bool polling) { return polling ? "polling" : "idle"; }

std::string Work(const TransportInfo& info) {
  const char* reads = Doing(info.reading.polling);
  const char* writes = Doing(info.writing.polling);
  const size_t size = info.writing.buffered;
  switch (info.kind) {
    case Kind::kRead:
      return absl::StrCat(" ", reads);
    case Kind::kWrite:
      return absl::StrCat(" ", writes, " bufsize=", size);
    case Kind::kStream:
    case Kind::kDatagram:
      return absl::StrCat(" read=", reads, " write=<", writes,
                          ", bufsize=", size, ">");
  }
  return "";
}

}  // namespace

std::string ToString(const TransportInfo& info) {
  std::string text = absl::StrCat("<", NameOf(info.kind));
  if (info.closed) {
    absl::StrAppend(&text, " closed");
  } else if (info.closing) {
    absl::StrAppend(&text, " closing");
  }
  if (info.fd < 0) {
    if (!info.closed) absl::StrAppend(&text, " unconnected");
  } else {
    absl::StrAppend(&text, " fd=", info.fd);
    if (!info.closed) {
      absl::StrAppend(&text, Work(info));
    } else if (info.kind == Kind::kRead || info.kind == Kind::kWrite) {
      absl::StrAppend(&text, " closed");
    }
  }
  return absl::StrCat(text, ">");
}

}  // namespace troupe
