#include "tests/io/person.h"

#include <future>
#include <utility>

#include "caf/send.hpp"
#include "caf/skip.hpp"
#include "io/io_host.h"
#include "io/resident.h"

namespace troupe {
namespace {

caf::behavior Person(Resident<caf::event_based_actor>* self,
                     std::function<void(int)> heard,
                     std::shared_ptr<bool> skips) {
  return {
      [=](const Task& task) { task.run(self); },
      [=](const Number& number) { heard(number.value); },
      [=](int number) { heard(number); },
      [=](const Question& question) { return question.number; },
      [=](const Skippable& number) -> caf::result<void> {
        if (*skips) return caf::skip();
        heard(number.value);
        return caf::unit;
      },
  };
}

}  // namespace

caf::actor PersonTest::NewPerson(Heard heard) {
  caf::actor person =
      SpawnResident<caf::hidden>(host(), Person, std::move(heard), skips_);
  // Has run once, so that it is at rest.
  Do(person, [](caf::event_based_actor*) {});
  return person;
}

void PersonTest::Do(const caf::actor& person,
                    std::function<void(caf::event_based_actor*)> what) {
  std::promise<void> done;
  caf::anon_send(person, Task{[&](caf::event_based_actor* self) {
                   what(self);
                   done.set_value();
                 }});
  done.get_future().wait();
}

}  // namespace troupe
