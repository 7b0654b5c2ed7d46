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
  friend class SharedCharge;
  void Add(size_t amount) { in_flight_.fetch_add(amount); }
  void Subtract(size_t amount);
  bool EnoughBack(size_t in_flight) const { return in_flight <= window_ / 2; }

  const size_t window_;
  const std::function<void()> wake_;
  std::atomic<size_t> in_flight_{0};
  std::atomic<bool> parked_{false};
  std::atomic<bool> open_{true};
};

// An amount that is charged as long as this object lives: of what several
// credits keep charged together (a block whose chunks they are).
class Charge {
 public:
  Charge(std::shared_ptr<CreditAccount> account, size_t amount)
      : account_(std::move(account)), amount_(amount) {
    account_->Add(amount_);
  }
  ~Charge() { account_->Subtract(amount_); }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;

 private:
  std::shared_ptr<CreditAccount> account_;
  size_t amount_;
};

// What the copies of a credit share. Its memory may be a part of the bytes that
// the credit is for, so it is given back (Dispose) after the charge is.
class SharedCharge {
 public:
  SharedCharge(std::shared_ptr<CreditAccount> account, size_t amount,
               std::shared_ptr<Charge> outer)
      : account_(std::move(account)),
        amount_(amount),
        outer_(std::move(outer)) {
    account_->Add(amount_);
  }
  SharedCharge(const SharedCharge&) = delete;
  SharedCharge& operator=(const SharedCharge&) = delete;

 protected:
  virtual ~SharedCharge() = default;
  virtual void Dispose() { delete this; }

 private:
  friend class Credit;
  void Release() {
    // The last reference needs no atomic write.
    if (references_.load(std::memory_order_acquire) != 1 &&
        references_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
    account_->Subtract(amount_);
    account_.reset();
    outer_.reset();
    Dispose();
  }

  std::atomic<int> references_{1};
  std::shared_ptr<CreditAccount> account_;
  const size_t amount_;
  std::shared_ptr<Charge> outer_;
};

class Credit {
 public:
  Credit() = default;
  // Charges `amount`, and keeps `outer`.
  Credit(std::shared_ptr<CreditAccount> account, size_t amount,
         std::shared_ptr<Charge> outer = nullptr)
      : Credit(new SharedCharge(std::move(account), amount, std::move(outer))) {
  }
  // Takes the one reference of a new charge.
  explicit Credit(SharedCharge* charge) : charge_(charge) {}

  Credit(const Credit& other) : charge_(other.charge_) {
    if (charge_ != nullptr) {
      charge_->references_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  Credit(Credit&& other) noexcept
      : charge_(std::exchange(other.charge_, nullptr)) {}
  Credit& operator=(Credit other) noexcept {
    std::swap(charge_, other.charge_);
    return *this;
  }
  ~Credit() { Release(); }

  // This copy lets go; the charge goes back with the last one.
  void Release() {
    if (charge_ != nullptr) std::exchange(charge_, nullptr)->Release();
  }

  explicit operator bool() const { return charge_ != nullptr; }

 private:
  SharedCharge* charge_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_IO_CREDIT_H_
