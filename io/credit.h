// How much of a stream may be in flight, and the token that says one piece of
// it still is.
//
// A stream charges its account for each chunk it delivers and puts the Credit
// into the message. The charge goes back when the last copy of the credit is
// gone: at the end of the handler, or later if the handler moved it out. While
// the account is overdrawn the stream does not read; when half of the window
// has come back it is woken, once.
//
//   [](DataReceived& data) {
//     Store(data.bytes);                       // credit goes back on return
//   }
//   [](DataReceived& data) {                   // credit goes back when the
//     send(file, Write{data.bytes, std::move(data.credit)});     // bytes are
//   }                                                            // written
//
// Credits are released on any thread, also after the stream and its loop are
// gone. What is charged is memory, not bytes: see ReadBuffer.
#ifndef TROUPE_IO_CREDIT_H_
#define TROUPE_IO_CREDIT_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace troupe {

class CreditAccount {
 public:
  // `wake` is called on the releasing thread when reading may go on.
  CreditAccount(size_t window, std::function<void()> wake)
      : window_(window), wake_(std::move(wake)) {}

  // The stream's thread. A chunk may always go when nothing is in flight.
  bool MayCharge() const {
    size_t charged = in_flight();
    return charged == 0 || charged < window_;
  }

  // The stream's thread, when MayCharge() said no: true if the stream is now
  // parked and will be woken, false if enough came back meanwhile.
  bool Park();

  // The stream is gone: no more waking.
  void Close() { open_.store(false); }

  size_t in_flight() const { return in_flight_.load(); }
  size_t window() const { return window_; }

 private:
  friend class Charge;
  void Add(size_t amount) { in_flight_.fetch_add(amount); }
  void Subtract(size_t amount);
  bool EnoughBack(size_t in_flight) const { return in_flight <= window_ / 2; }

  const size_t window_;
  const std::function<void()> wake_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<bool> parked_{false};
  std::atomic<bool> open_{true};
};

// An amount that is charged as long as this object lives. A charge may keep
// another one alive: a chunk keeps that of the block it lies in.
class Charge {
 public:
  Charge(std::shared_ptr<CreditAccount> account, size_t amount,
         std::shared_ptr<Charge> outer = nullptr)
      : account_(std::move(account)),
        amount_(amount),
        outer_(std::move(outer)) {
    account_->Add(amount_);
  }
  ~Charge() { account_->Subtract(amount_); }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

 private:
  std::shared_ptr<CreditAccount> account_;
  size_t amount_;
  std::shared_ptr<Charge> outer_;
};

class Credit {
 public:
  Credit() = default;
  explicit Credit(std::shared_ptr<const Charge> charge)
      : charge_(std::move(charge)) {}

  // This copy lets go; the charge goes back with the last one.
  void Release() { charge_.reset(); }

  explicit operator bool() const { return charge_ != nullptr; }

 private:
  std::shared_ptr<const Charge> charge_;
};

}  // namespace troupe

#endif  // TROUPE_IO_CREDIT_H_
