// A plain message gets no answer.
//
// CAF sends a handler's result also to the sender of a plain message, as one
// more message: an observer that sends StopProcess would hear of the exit
// twice, and a refusal, a caf::error, would end the sender. Handlers of library
// actors that answer begin with this.
#ifndef TROUPE_IO_ANSWER_REQUESTS_H_
#define TROUPE_IO_ANSWER_REQUESTS_H_

namespace troupe {

// After it the result of the current handler goes nowhere unless the message
// is a request.
template <class Self>
void AnswerRequestsOnly(Self* self) {
  auto* element = self->current_mailbox_element();
  if (!element->mid.is_request()) element->sender = nullptr;
}

}  // namespace troupe

#endif  // TROUPE_IO_ANSWER_REQUESTS_H_
