// A plain message from nobody to a resident that has a direct handler for it,
// by value: what a host's line keeps instead of a mailbox element, which costs
// an allocation.
#ifndef TROUPE_IO_PARCEL_H_
#define TROUPE_IO_PARCEL_H_

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "caf/mailbox_element.hpp"
#include "caf/message_id.hpp"
#include "io/direct_handlers.h"

namespace troupe {

class Parcel {
 public:
  static constexpr size_t kMostBytes = 32;

  template <class T>
  static constexpr bool kFits = sizeof(T) <= kMostBytes &&
                                alignof(T) <= alignof(std::max_align_t) &&
                                std::is_nothrow_move_constructible_v<T>;

  Parcel() = default;
  template <class T>
  Parcel(DirectHandlers::Function handle, T&& message)
      : handle_(handle), kind_(&kKindOf<T>) {
    static_assert(kFits<T>);
    new (message_) T(std::forward<T>(message));
  }
  Parcel(Parcel&& other) noexcept
      : handle_(other.handle_), kind_(std::exchange(other.kind_, nullptr)) {
    if (kind_ != nullptr) kind_->move(other.message_, message_);
  }
  Parcel& operator=(Parcel&&) = delete;
  ~Parcel() {
    if (kind_ != nullptr) kind_->destroy(message_);
  }

  // Of one that is not empty.
  DirectHandlers::Function handle() const { return handle_; }
  void* message() { return message_; }
  // The same message for a mailbox.
  caf::mailbox_element_ptr ToElement() { return kind_->wrap(message_); }

 private:
  struct Kind {
    void (*move)(void* from, void* to);  // ends what was there
    void (*destroy)(void* message);
    caf::mailbox_element_ptr (*wrap)(void* message);
  };

  template <class T>
  static void Move(void* from, void* to) {
    auto* message = static_cast<T*>(from);
    new (to) T(std::move(*message));
    message->~T();
  }
  template <class T>
  static void Destroy(void* message) {
    static_cast<T*>(message)->~T();
  }
  template <class T>
  static caf::mailbox_element_ptr Wrap(void* message) {
    return caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                     std::move(*static_cast<T*>(message)));
  }
  template <class T>
  static constexpr Kind kKindOf = {&Move<T>, &Destroy<T>, &Wrap<T>};

  DirectHandlers::Function handle_ = nullptr;
  const Kind* kind_ = nullptr;  // null: empty
  alignas(std::max_align_t) std::byte message_[kMostBytes];
};

}  // namespace troupe

#endif  // TROUPE_IO_PARCEL_H_
