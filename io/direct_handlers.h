// What a resident is told again and again, as calls: handlers of its behavior
// without the behavior, `state->HandleDirectly(T&)` for each of a few types.
// They run as the behavior would, for plain messages only; their result goes
// nowhere, and nobody is the sender.
//
//   struct EchoState {
//     void HandleDirectly(DataReceived& data);
//   };
//   self->SetDirectHandlers(DirectHandlers::For<EchoState, DataReceived>(),
//                           &self->state);
//   return {[self](DataReceived& data) { self->state.HandleDirectly(data); },
//
// The behavior still has a handler for each of them: for a message that comes
// when the resident is not at rest.
#ifndef TROUPE_IO_DIRECT_HANDLERS_H_
#define TROUPE_IO_DIRECT_HANDLERS_H_

#include <array>
#include <cstddef>
#include <typeinfo>

namespace troupe {

class DirectHandlers {
 public:
  template <class State, class... Ts>
  static const DirectHandlers& For() {
    static const DirectHandlers handlers(
        std::array<Entry, kMost>{Entry{&typeid(Ts), &Call<State, Ts>}...});
    return handlers;
  }

  using Function = void (*)(void* state, void* message);
  // Null for a type that is not one of them.
  Function Find(const std::type_info* type) const {
    for (const auto& [one, function] : entries_) {
      if (one == type) return function;
    }
    return nullptr;
  }

 private:
  struct Entry {
    const std::type_info* type;
    Function function;
  };
  static constexpr size_t kMost = 2;

  explicit DirectHandlers(std::array<Entry, kMost> entries)
      : entries_(entries) {}
  template <class State, class T>
  static void Call(void* state, void* message) {
    static_cast<State*>(state)->HandleDirectly(*static_cast<T*>(message));
  }

  const std::array<Entry, kMost> entries_;
};

}  // namespace troupe

#endif  // TROUPE_IO_DIRECT_HANDLERS_H_
