// A bounded number of those that were busy last. They may keep what they will
// soon need again (TLS: buffers of 34 KiB), all others hold nothing.
//
//   class Session : public WarmRing::Member {
//     void OnCold() override { buffers_.reset(); }
//   };
//   if (ring.Enter(session)) ...    // it keeps its buffers until OnCold
//
// When the ring is full, every kAsks-th that asks takes the place of the one
// that entered first, the others are refused: a thousand that are busy in turn
// would only push each other out. To enter again changes nothing and costs a
// comparison. One thread; the ring outlives its members' stay, and a member
// leaves when it ends.
#ifndef TROUPE_IO_WARM_RING_H_
#define TROUPE_IO_WARM_RING_H_

#include <cstddef>
#include <vector>

namespace troupe {

class WarmRing {
 public:
  class Member {
   public:
    Member() = default;
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    // Has lost its place.
    virtual void OnCold() = 0;

   protected:
    ~Member() {
      if (place_ != nullptr) *place_ = nullptr;
    }

   private:
    friend class WarmRing;
    Member** place_ = nullptr;  // in the ring; null: not in it
  };

  static constexpr size_t kAsks = 8;

  // 128 with TLS buffers hold 4.3 MiB.
  explicit WarmRing(size_t places = 128) : places_(places, nullptr) {}
  WarmRing(const WarmRing&) = delete;
  WarmRing& operator=(const WarmRing&) = delete;

  // Whether it is in now.
  bool Enter(Member& member) {
    if (member.place_ != nullptr) return true;
    Member*& place = places_[next_];
    Member* const first = place;
    if (first != nullptr && ++asks_ % kAsks != 0) return false;
    next_ = next_ + 1 == places_.size() ? 0 : next_ + 1;
    place = &member;
    member.place_ = &place;
    if (first != nullptr) {
      first->place_ = nullptr;
      first->OnCold();
    }
    return true;
  }

 private:
  std::vector<Member*> places_;
  size_t next_ = 0;  // who entered first has it, if anybody
  size_t asks_ = 0;  // when it was full
};

}  // namespace troupe

#endif  // TROUPE_IO_WARM_RING_H_
