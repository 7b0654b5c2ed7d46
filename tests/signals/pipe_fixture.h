// A signal pipe, ways to send it something, and what came out of it.
#ifndef TROUPE_TESTS_SIGNALS_PIPE_FIXTURE_H_
#define TROUPE_TESTS_SIGNALS_PIPE_FIXTURE_H_

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "signals/disposition.h"
#include "signals/signal_buffer.h"
#include "signals/signal_delivery.h"
#include "signals/signal_pipe.h"
#include "tests/support/leak_check.h"

namespace troupe {

inline std::atomic<int> earlier_runs;
inline void Earlier(int) { ++earlier_runs; }

// Of a SignalPipe or SignalBuffer.
template <class Source>
std::vector<SignalDelivery> Drain(Source& source) {
  std::vector<SignalDelivery> out;
  source.Drain(out);
  return out;
}

template <class Source>
std::vector<int> Numbers(Source& source) {
  std::vector<int> numbers;
  for (const auto& delivery : Drain(source)) numbers.push_back(delivery.number);
  return numbers;
}

template <class Source>
std::vector<int> Values(Source& source) {
  std::vector<int> values;
  for (const auto& delivery : Drain(source)) {
    values.push_back(delivery.value.sival_int);
  }
  return values;
}

inline std::shared_ptr<SignalBuffer> NewTap() {
  return SignalBuffer::Create().value();
}

inline bool Readable(int fd, int timeout_ms = 0) {
  pollfd poll_fd{fd, POLLIN, 0};
  return poll(&poll_fd, 1, timeout_ms) == 1;
}

inline void SendValue(int number, int value) {
  sigval sent{};
  sent.sival_int = value;
  ASSERT_EQ(pthread_sigqueue(pthread_self(), number, sent), 0);
}

inline void ChangeMask(int how, int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(how, &set, nullptr);
}

// Installed over ours, it counts and calls it.
inline SignalHandler chained;
inline void Stranger(int number, siginfo_t* info, void* context) {
  ++earlier_runs;
  chained(number, info, context);
}

class SignalPipeFixture : public LeakCheckedTest {
 protected:
  SignalPipeFixture() {
    earlier_runs = 0;
    Make({});
  }
  ~SignalPipeFixture() override {
    pipe_.reset();
    signal(SIGUSR1, SIG_DFL);
    signal(SIGRTMIN, SIG_DFL);
  }

  void Make(SignalPipe::Options options) {
    pipe_.reset();
    auto pipe = SignalPipe::Create(options);
    ASSERT_TRUE(pipe.ok()) << pipe.status();
    pipe_ = *std::move(pipe);
  }
  void Catch(std::vector<int> numbers) {
    for (int number : numbers) ASSERT_TRUE(pipe_->Catch(number).ok()) << number;
  }

  std::unique_ptr<SignalPipe> pipe_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIGNALS_PIPE_FIXTURE_H_
