#include "examples/troupe/output_queue.h"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr size_t kPieceSize = 64 * 1024;
// Input that is split at once: even if each byte is a line, a piece grows by
// little more than its size.
constexpr size_t kStep = 1024;

}  // namespace

OutputQueue::OutputQueue(const std::vector<std::string>& names, bool color)
    : prefix_(names, color), splitters_(names.size()) {}

void OutputQueue::Add(size_t process, time_t now, Bytes bytes, Credit credit) {
  entries_.push_back(
      {process, now, std::move(bytes), std::move(credit), Entry::Kind::kChunk});
}

void OutputQueue::AddEnd(size_t process, time_t now) {
  entries_.push_back({process, now, Bytes(), Credit(), Entry::Kind::kEnd});
}

void OutputQueue::AddText(std::string line) {
  entries_.push_back(
      {0, 0, Bytes(std::move(line)), Credit(), Entry::Kind::kText});
}

std::optional<OutputQueue::Piece> OutputQueue::Next() {
  if (entries_.empty()) return std::nullopt;
  Piece piece;
  while (!entries_.empty() && piece.text.size() < kPieceSize) {
    Entry& entry = entries_.front();
    if (!Format(entry, piece.text)) continue;  // the piece may be full
    piece.credits.push_back(std::move(entry.credit));
    entries_.pop_front();
  }
  return piece;
}

// True when nothing of the entry is left.
bool OutputQueue::Format(Entry& entry, std::string& out) {
  auto print = [&](SplitLine line) {
    prefix_.AppendTo(&out, entry.time, entry.process);
    out.append(line.text.data(), line.text.size());
    if (line.cut) out.append(kCutMark.data(), kCutMark.size());
    out.push_back('\n');
  };
  switch (entry.kind) {
    case Entry::Kind::kText:
      out.append(entry.bytes.data(), entry.bytes.size());
      return true;
    case Entry::Kind::kEnd:
      splitters_[entry.process].Finish(print);
      return true;
    case Entry::Kind::kChunk:
      break;
  }
  size_t step = std::min(kStep, entry.bytes.size());
  splitters_[entry.process].Add(entry.bytes.view().substr(0, step), print);
  entry.bytes = entry.bytes.Skip(step);
  return entry.bytes.empty();
}

void OutputQueue::DropOutput() {
  std::erase_if(entries_, [](const Entry& entry) {
    return entry.kind != Entry::Kind::kText;
  });
  for (LineSplitter& splitter : splitters_) splitter = LineSplitter();
}

}  // namespace troupe
