// What a test's protocol is told, written down. What is written: `CM`, `DR(n)`,
// `EOF`, `CL(None)` or `CL(text)`, `PAUSE`, `RESUME`, `LOST(n)`, the names of
// the golden traces of docs/asyncio.md; after CL what ConnectionLost counted,
// if anything: `CL(None) lost 5 refused 1`.
#ifndef TROUPE_TESTS_SUPPORT_PROTOCOL_NOTES_H_
#define TROUPE_TESTS_SUPPORT_PROTOCOL_NOTES_H_

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "caf/scheduled_actor.hpp"
#include "io/io_messages.h"
#include "io/resident.h"
#include "tests/support/trace.h"

namespace troupe {

// What a test's protocol does beside writing down. All are optional and run in
// the protocol's handlers.
struct ProtocolScript {
  std::function<void()> made;
  std::function<void(DataReceived&)> data;  // may keep the credit
  std::function<void()> resumed;
  std::function<void()> eof;
  std::string name;     // before each event, to tell two protocols apart
  bool forget = false;  // `received` stays empty
};

// As above.
std::string Describe(const ConnectionLost& lost);

struct ProtocolNotes {
  std::shared_ptr<Trace> trace;
  std::string* received;
  ProtocolScript script;

  void Made() const;
  void Data(DataReceived& data) const;
  void Eof() const;
  void Paused() const;
  void Resumed() const;
  void Lost(const ConnectionLost& lost) const;

 private:
  void Add(const std::string& event) const { trace->Add(script.name + event); }
};

// An exception of a handler ends a worker's actor; CAF would say so on stdout.
template <class Self>
void EndQuietly(Self* self) {
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& e) {
    return ExceptionToError(e);
  });
}

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_PROTOCOL_NOTES_H_
