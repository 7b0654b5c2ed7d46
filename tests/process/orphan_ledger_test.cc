#include "process/orphan_ledger.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ProcessEntry Zombie(pid_t pid, uint64_t start = 1) {
  ProcessEntry entry;
  entry.pid = pid;
  entry.state = 'Z';
  entry.start = start;
  return entry;
}

std::vector<pid_t> Orphans(OrphanLedger& ledger,
                           const std::vector<ProcessEntry>& zombies) {
  std::vector<pid_t> pids;
  for (const ProcessEntry& entry : ledger.Sort(zombies)) {
    pids.push_back(entry.pid);
  }
  return pids;
}

// Row A17.
TEST(OrphanLedgerTest, TellsOrphansFromOurOwn) {
  OrphanLedger ledger;
  ledger.SpawnEnds(ledger.SpawnBegins(), 7);
  ledger.Add(8);
  EXPECT_THAT(Orphans(ledger, {Zombie(7), Zombie(8), Zombie(9)}),
              ElementsAre(9));
  ledger.Remove(7);
  EXPECT_THAT(Orphans(ledger, {Zombie(7)}), ElementsAre(7));
}

// A child that ends before we are told that it was made.
TEST(OrphanLedgerTest, DoesNotTakeAChildThatIsBeingMade) {
  OrphanLedger ledger;
  auto serial = ledger.SpawnBegins();
  EXPECT_THAT(Orphans(ledger, {Zombie(7)}), IsEmpty());
  EXPECT_TRUE(ledger.IsUndecided());
  ledger.SpawnEnds(serial, 7);
  EXPECT_THAT(Orphans(ledger, {Zombie(7)}), IsEmpty());
  EXPECT_FALSE(ledger.IsUndecided());
}

TEST(OrphanLedgerTest, AnOrphanIsTakenWhenThoseSpawnsAreAnswered) {
  OrphanLedger ledger;
  auto first = ledger.SpawnBegins();
  auto second = ledger.SpawnBegins();
  EXPECT_THAT(Orphans(ledger, {Zombie(9)}), IsEmpty());
  ledger.SpawnEnds(second, 0);
  EXPECT_THAT(Orphans(ledger, {Zombie(9)}), IsEmpty());
  ledger.SpawnBegins();  // later ones do not matter: there it was already
  ledger.SpawnEnds(first, 7);
  EXPECT_THAT(Orphans(ledger, {Zombie(9)}), ElementsAre(9));
}

// The one that was seen was of a spawn that failed; this is a new child.
TEST(OrphanLedgerTest, AnotherProcessWithTheNumberIsSeenAnew) {
  OrphanLedger ledger;
  auto first = ledger.SpawnBegins();
  EXPECT_THAT(Orphans(ledger, {Zombie(9, 1)}), IsEmpty());
  ledger.SpawnEnds(first, 0);
  auto second = ledger.SpawnBegins();
  EXPECT_THAT(Orphans(ledger, {Zombie(9, 2)}), IsEmpty());
  ledger.SpawnEnds(second, 9);
  EXPECT_THAT(Orphans(ledger, {Zombie(9, 2)}), IsEmpty());
}

TEST(OrphanLedgerTest, ANumberThatIsGivenAgainIsOursUntilBothAreReaped) {
  OrphanLedger ledger;
  ledger.SpawnEnds(ledger.SpawnBegins(), 7);
  ledger.SpawnEnds(ledger.SpawnBegins(), 7);
  ledger.Remove(7);
  EXPECT_THAT(Orphans(ledger, {Zombie(7)}), IsEmpty());
}

TEST(OrphanLedgerTest, ASpawnThatFailedMadeNobody) {
  OrphanLedger ledger;
  ledger.SpawnEnds(ledger.SpawnBegins(), 0);
  EXPECT_FALSE(ledger.IsOurs(0));
}

TEST(OrphanLedgerTest, ForgetsWhatIsGone) {
  OrphanLedger ledger;
  ledger.SpawnBegins();
  EXPECT_THAT(Orphans(ledger, {Zombie(9)}), IsEmpty());
  EXPECT_THAT(Orphans(ledger, {}), IsEmpty());
  EXPECT_FALSE(ledger.IsUndecided());
}

}  // namespace
}  // namespace troupe
