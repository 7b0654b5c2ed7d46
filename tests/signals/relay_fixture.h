// A signal relay on an I/O thread, and observers that write down what they are
// told: `name number`, and `name number=value` for what sigqueue sent. After
// each test the dispositions are those of before.
#ifndef TROUPE_TESTS_SIGNALS_RELAY_FIXTURE_H_
#define TROUPE_TESTS_SIGNALS_RELAY_FIXTURE_H_

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "signals/signal_buffer.h"
#include "signals/signal_messages.h"
#include "tests/support/io_fixture.h"

namespace troupe {

// A handler of the program's own, and how often it ran in this test.
inline std::atomic<int> earlier_runs;
inline void Earlier(int) { ++earlier_runs; }
inline void Stranger(int) {}

sighandler_t DispositionOf(int number);

class SignalRelayTest : public IoTest {
 protected:
  SignalRelayTest();
  ~SignalRelayTest() override;

  SignalRelay New(SignalRelayOwner owner = {});

  SignalObserver Worker(std::string name);
  SignalObserver InIo(std::string name);
  // Adds up the counts instead of writing down.
  SignalObserver Counter(std::shared_ptr<std::atomic<uint64_t>> sum);
  // Writes down `kept number: why`.
  SignalRelayOwner Owner();

  // What a test sets before it subscribes, for the fixture to compare with.
  void Set(int number, sighandler_t disposition);
  // What a test that leaves a stranger's handler compares itself.
  void Clean(int number);

  // The error's text, or "".
  std::string Subscribe(int number, SignalObserver observer,
                        std::shared_ptr<SignalBuffer> tap = nullptr);
  Unsubscribed Unsubscribe(int number, SignalObserver observer);
  SignalRelayClosed Close();

  void WaitForDisposition(int number, sighandler_t disposition);

  // While `body` runs on the test's thread the I/O thread stands still.
  void WhileIoStandsStill(const std::function<void()>& body);

  SignalRelay relay_;

 private:
  std::map<int, sighandler_t> before_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIGNALS_RELAY_FIXTURE_H_
