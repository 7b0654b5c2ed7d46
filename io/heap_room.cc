#include "io/heap_room.h"

#include <memory>
#include <vector>

namespace troupe {

void MakeHeapRoom(size_t bytes) {
  // Larger ones malloc takes from elsewhere. Nobody writes to them.
  constexpr size_t kPiece = 100 << 10;
  std::vector<std::unique_ptr<char[]>> pieces(bytes / kPiece);
  for (auto& piece : pieces) piece.reset(new char[kPiece]);
  while (!pieces.empty()) pieces.pop_back();  // from the heap's end
}

}  // namespace troupe
