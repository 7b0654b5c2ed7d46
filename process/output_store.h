// What one output stream of a child has brought and nobody has taken yet.
//
//   OutputStore out({.unread = UnreadOutput::kHold});
//   out.Add(output.bytes, output.credit);
//   out.Read(UntilSeparator{}, answer);          // line by line, or
//   out.Gather();                                // all of it, by Communicate
//   CapturedText text = out.Take();
//
// Nothing that came is lost to somebody who stopped asking (rows H8, V13, A9):
// a read that is cancelled gives back what it had, and what was gathered stays
// until it is taken.
//
// One thread. An answer may call Read.
#ifndef TROUPE_PROCESS_OUTPUT_STORE_H_
#define TROUPE_PROCESS_OUTPUT_STORE_H_

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/framing/frame.h"
#include "io/framing/frame_source.h"
#include "process/captured_output.h"

namespace troupe {

// What becomes of output while nobody asks for it (row A2).
enum class UnreadOutput {
  kHold,     // it is held up to the window; then the child waits in write(2)
  kCapture,  // it is captured as it comes: the child never waits
  kDiscard,  // the same with no room at all: only counted
};

struct OutputOptions {
  UnreadOutput unread = UnreadOutput::kHold;
  CaptureLimits capture = {};              // of what is gathered
  size_t line_limit = kDefaultFrameLimit;  // see FrameSource
};

class OutputStore {
 public:
  using ReadId = FrameSource::ReadId;

  explicit OutputStore(OutputOptions options);

  void Add(Bytes bytes, Credit credit);
  // The first one counts.
  void Finish(absl::Status why);
  bool finished() const { return end_.has_value(); }

  // FAILED_PRECONDITION while the stream is captured, and while something is
  // that nobody has taken: the read would come behind it.
  absl::StatusOr<ReadId> Read(FrameSource::Request request,
                              FrameSource::Answer answer);
  bool Cancel(ReadId id) { return source_.Cancel(id); }

  // What is held and what will come is captured until StopGathering.
  // FAILED_PRECONDITION while a read waits: asyncio refuses that, too (H18).
  absl::Status Gather();
  void StopGathering();
  CapturedText Take() { return captured_.Take(); }

 private:
  FrameSource source_;
  CapturedOutput captured_;
  const bool always_captured_;
  bool gathering_;
  std::optional<absl::Status> end_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_OUTPUT_STORE_H_
