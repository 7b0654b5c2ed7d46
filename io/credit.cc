#include "io/credit.h"

namespace troupe {

// Park stores `parked_` before it looks at `in_flight_`; Subtract changes
// `in_flight_` before it looks at `parked_`. So of a park and a release that
// meet, at least one sees the other, and exchange lets only one act on it.

bool CreditAccount::Park() {
  parked_.store(true);
  if (!EnoughBack(in_flight_.load())) return true;
  return !parked_.exchange(false);  // false: a wake-up is on its way
}

void CreditAccount::Subtract(size_t amount) {
  size_t left = in_flight_.fetch_sub(amount) - amount;
  if (!EnoughBack(left) || !parked_.load()) return;
  if (parked_.exchange(false) && open_.load()) wake_();
}

}  // namespace troupe
