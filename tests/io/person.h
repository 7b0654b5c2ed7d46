// A resident that does what it is told and tells what it hears, for tests of
// how messages reach residents.
#ifndef TROUPE_TESTS_IO_PERSON_H_
#define TROUPE_TESTS_IO_PERSON_H_

#include <functional>
#include <memory>
#include <string>

#include "caf/actor.hpp"
#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/event_based_actor.hpp"
#include "tests/support/io_fixture.h"

namespace troupe {

// Runs what it is sent, on the host's thread, as its own.
struct Task {
  std::function<void(caf::event_based_actor*)> run;
};

// Answered with its number.
struct Question {
  int number;
};

// Told to whoever listens; skipped at times.
struct Number {
  int value;
};
struct Skippable {
  int value;
};

// With people.
class PersonTest : public IoTest {
 protected:
  using Heard = std::function<void(int)>;

  // Takes tasks, questions, and numbers, which it tells to `heard`: of a type
  // of ours, of one of CAF's, and of one that it skips while `*skips_`. It is
  // at rest.
  caf::actor NewPerson(Heard heard = nullptr);
  Heard Noted() {
    return [this](int number) { trace_->Add(std::to_string(number)); };
  }
  // Runs on the person's thread, as its own; returns when it is done.
  void Do(const caf::actor& person,
          std::function<void(caf::event_based_actor*)> what);

  std::shared_ptr<bool> skips_ = std::make_shared<bool>(false);
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Task)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Number)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::Skippable)

#endif  // TROUPE_TESTS_IO_PERSON_H_
