// The descriptors of a child: the first two of its steps (child_setup.h). Runs
// in the child; false and errno when a call has failed.
#ifndef TROUPE_PROCESS_CHILD_DESCRIPTORS_H_
#define TROUPE_PROCESS_CHILD_DESCRIPTORS_H_

#include "process/child_setup.h"

namespace troupe {

// Puts every descriptor under its number. A source whose number another move
// will overwrite is copied out of the way first: that makes swaps safe.
bool MoveDescriptors(ChildSetup* setup);

// Closes the rest now rather than at exec: a child that hangs there holds
// nobody's pipe. Where close_range(2) is forbidden, which old filters do as
// they forbid pidfds, by the list in /proc.
bool CloseOthers(ChildSetup* setup);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_DESCRIPTORS_H_
