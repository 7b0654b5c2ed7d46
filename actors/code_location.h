// Where in the program a call was made, taken by a default argument:
//
//   void CallSoon(Callback callback, CodeLocation where =
//   CodeLocation::Here());
#ifndef TROUPE_ACTORS_CODE_LOCATION_H_
#define TROUPE_ACTORS_CODE_LOCATION_H_

namespace troupe {

struct CodeLocation {
  const char* file = "";
  int line = 0;

  // In a default argument: the place of the call that leaves it out.
  static constexpr CodeLocation Here(const char* file = __builtin_FILE(),
                                     int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_CODE_LOCATION_H_
