// A stream that is asked for its pieces, one after the other, and holds what
// nobody has asked for yet: what asyncio's StreamReader does (rows H13 to H19).
//
//   FrameSource source(kDefaultFrameLimit);
//   source.Read(UntilSeparator{"\n"}, [](absl::StatusOr<Frame> line) { ... });
//   source.Add(data.bytes, data.credit);        // a transport's chunk
//   source.Finish(absl::OkStatus());            // its end
//   source.Cancel(id);                          // of a Read: asked no more
//
// Reads are answered in the order they were asked; any number may wait (rows
// H18, A30: asyncio refuses the second). What a read needs of a chunk is taken
// out of it, and the chunk's credit goes with its last byte: so whoever does
// not read stops the stream at its window, and a read that waits for more never
// does.
//
// Nothing is lost (row A4). A frame longer than the limit comes in parts,
// kTooLong each and kTooLongEnd at last, if the same separator is asked for
// again and again; any other read goes on behind the part. At the end of the
// stream there is what came of the frame, kIncomplete, and then kIncomplete
// without bytes for ever. A stream that broke gives that, too, and then its
// error, but only when all has been read that came before (asyncio drops it,
// row H19).
//
// A read that is cancelled loses nothing either: what it had taken is there for
// the next one.
//
// One thread. An answer may call Read.
#ifndef TROUPE_IO_FRAMING_FRAME_SOURCE_H_
#define TROUPE_IO_FRAMING_FRAME_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/bytes.h"
#include "io/credit.h"
#include "io/framing/exact_framer.h"
#include "io/framing/frame.h"
#include "io/framing/separator_framer.h"

namespace troupe {

// What is asked for.
struct UntilSeparator {
  std::string separator = "\n";  // the frame comes without it
};
struct ExactBytes {
  size_t size = 0;  // the limit does not count (H17)
};
struct AvailableBytes {
  size_t most = 64 * 1024;  // at least one, of what came together (H14)
};

class FrameSource {
 public:
  using Request = std::variant<UntilSeparator, ExactBytes, AvailableBytes>;
  using Answer = std::function<void(absl::StatusOr<Frame>)>;
  using ReadId = uint64_t;

  explicit FrameSource(size_t limit) : limit_(limit) {}

  ReadId Read(Request request, Answer answer);
  // False if it was answered already.
  bool Cancel(ReadId id);
  bool has_readers() const { return !waiting_.empty(); }

  // All that is held, for who takes the stream over while nobody reads. Its
  // credit is let go.
  std::vector<Bytes> TakeHeld();
  // Whether something is: what came of a frame does not count.
  bool holds_chunks() const { return !chunks_.empty(); }

  void Add(Bytes bytes, Credit credit);
  // The first one counts.
  void Finish(absl::Status why);

 private:
  struct Waiting {
    ReadId id;
    Request request;
    Answer answer;
  };
  struct Chunk {
    Bytes bytes;
    Credit credit;
  };

  void Serve();
  std::optional<absl::StatusOr<Frame>> Next(const Request& request);
  absl::Status Prepare(const Request& request);
  void DropFramers();
  std::optional<Frame> Cut(const Request& request, Bytes& chunk);
  absl::StatusOr<Frame> Rest(const Request& request);

  const size_t limit_;
  ReadId last_id_ = 0;
  std::deque<Waiting> waiting_;
  std::deque<Chunk> chunks_;
  bool serving_ = false;
  bool begun_ = false;  // the first that waits has its framer
  std::optional<absl::Status> end_;

  std::string separator_;
  std::optional<SeparatorFramer> until_;
  std::optional<ExactFramer> exact_;
};

}  // namespace troupe

#endif  // TROUPE_IO_FRAMING_FRAME_SOURCE_H_
