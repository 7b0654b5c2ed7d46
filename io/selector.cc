#include "io/selector.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<Selector>> Selector::Create(SelectorKind kind) {
  return kind == SelectorKind::kEpoll ? CreateEpollSelector()
                                      : CreatePollSelector();
}

}  // namespace troupe
