#include "io/credit.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

class CreditTest : public ::testing::Test {
 protected:
  Credit Charged(size_t amount, std::shared_ptr<Charge> outer = nullptr) {
    return Credit(account_, amount, std::move(outer));
  }
  int woken_ = 0;
  std::shared_ptr<CreditAccount> account_ =
      std::make_shared<CreditAccount>(100, [this] { ++woken_; });
};

TEST_F(CreditTest, MayChargeWhileLessThanTheWindowIsInFlight) {
  Credit most = Charged(99);
  EXPECT_TRUE(account_->MayCharge());
  Credit rest = Charged(1);
  EXPECT_FALSE(account_->MayCharge());
  rest.Release();
  EXPECT_TRUE(account_->MayCharge());
  EXPECT_EQ(account_->in_flight(), 99u);
}

TEST_F(CreditTest, GoesBackWithTheLastCopy) {
  Credit credit = Charged(10);
  Credit copy = credit;
  credit.Release();
  credit.Release();
  EXPECT_EQ(account_->in_flight(), 10u);
  copy = Credit();
  EXPECT_EQ(account_->in_flight(), 0u);
  EXPECT_FALSE(static_cast<bool>(copy));
}

TEST_F(CreditTest, KeepsTheChargeItLiesIn) {
  auto block = std::make_shared<Charge>(account_, 50);
  Credit chunk = Charged(1, block);
  block.reset();
  EXPECT_EQ(account_->in_flight(), 51u);
  chunk.Release();
  EXPECT_EQ(account_->in_flight(), 0u);
}

TEST_F(CreditTest, WakesAParkedStreamOnceWhenHalfIsBack) {
  Credit a = Charged(40), b = Charged(40), c = Charged(40);
  ASSERT_FALSE(account_->MayCharge());
  EXPECT_TRUE(account_->Park());
  a.Release();
  EXPECT_EQ(woken_, 0) << "80 of 100 are still out";
  b.Release();
  EXPECT_EQ(woken_, 1);
  c.Release();
  EXPECT_EQ(woken_, 1);
}

TEST_F(CreditTest, DoesNotParkWhenEnoughIsBackAlready) {
  Credit credit = Charged(50);
  EXPECT_FALSE(account_->Park());
  credit.Release();
  EXPECT_EQ(woken_, 0);
}

TEST_F(CreditTest, WakesNobodyWhoIsNotParkedOrGone) {
  Charged(200);
  EXPECT_EQ(woken_, 0);
  Credit credit = Charged(200);
  EXPECT_TRUE(account_->Park());
  account_->Close();
  credit.Release();
  EXPECT_EQ(woken_, 0);
}

TEST_F(CreditTest, OutlivesTheStream) {
  Credit credit = Charged(200);
  account_->Close();
  account_.reset();
  credit.Release();
  EXPECT_EQ(woken_, 0);
}

// However small the window: a chunk may go when nothing is in flight.
TEST_F(CreditTest, LetsOneChunkGoThroughAnEmptyWindow) {
  account_ = std::make_shared<CreditAccount>(0, [this] { ++woken_; });
  EXPECT_TRUE(account_->MayCharge());
  Credit credit = Charged(10);
  EXPECT_FALSE(account_->MayCharge());
  EXPECT_TRUE(account_->Park());
  credit.Release();
  EXPECT_EQ(woken_, 1);
  EXPECT_TRUE(account_->MayCharge());
}

// A stream that charges as fast as it may and parks, four threads that release:
// a lost wake-up would stop it for good.
TEST_F(CreditTest, LosesNoWakeUp) {
  constexpr int kChunks = 300000;
  std::mutex mutex;
  std::condition_variable changed;
  bool awake = false, over = false;
  std::deque<Credit> in_flight;
  auto account = std::make_shared<CreditAccount>(8, [&] {
    std::lock_guard<std::mutex> lock(mutex);
    awake = true;
    changed.notify_all();
  });
  std::vector<std::thread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      for (;;) {
        Credit credit;
        {
          std::unique_lock<std::mutex> lock(mutex);
          changed.wait(lock, [&] { return over || !in_flight.empty(); });
          if (in_flight.empty()) return;
          credit = std::move(in_flight.front());
          in_flight.pop_front();
        }
      }
    });
  }
  bool lost = false;
  for (int sent = 0; sent < kChunks && !lost;) {
    if (account->MayCharge()) {
      Credit credit(account, 1);
      std::lock_guard<std::mutex> lock(mutex);
      in_flight.push_back(std::move(credit));
      changed.notify_one();
      ++sent;
    } else if (account->Park()) {
      std::unique_lock<std::mutex> lock(mutex);
      lost = !changed.wait_for(lock, std::chrono::seconds(20),
                               [&] { return awake; });
      awake = false;
    }
  }
  EXPECT_FALSE(lost);
  {
    std::lock_guard<std::mutex> lock(mutex);
    over = true;
    changed.notify_all();
  }
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(account->in_flight(), 0u);
}

}  // namespace
}  // namespace troupe
