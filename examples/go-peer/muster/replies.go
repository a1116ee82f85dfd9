package muster

import "errors"

// sentMessage is a message about an attempt, which an `error` may answer.
type sentMessage struct {
	messageType string
	ref         attemptRef
}

const rememberedMessages = 1024

// sentMessages remembers the newest messages of this session by their IDs.
type sentMessages struct {
	byID  map[string]sentMessage
	order []string
}

func (s *sentMessages) add(id string, message sentMessage) {
	if s.byID == nil {
		s.byID = map[string]sentMessage{}
	}
	if len(s.order) == rememberedMessages {
		delete(s.byID, s.order[0])
		s.order = s.order[1:]
	}
	s.order = append(s.order, id)
	s.byID[id] = message
}

// refused is called for each `error`. The lock is held.
func (w *worker) refused(replyTo string, e errorReply) {
	message, known := w.sent.byID[replyTo]
	if !known {
		return
	}
	log := w.log().With("task", message.ref.TaskID, "fence", message.ref.Fence, "code", cut(e.Details, 64))
	if message.messageType == "task_result" {
		if r := w.results.find(message.ref); r != nil {
			log.Info("the mesh has not taken a result")
			w.resultRefused(r, e)
		}
		return
	}
	a := w.attempts[message.ref.TaskID]
	if a == nil || a.offer.Fence != message.ref.Fence {
		return
	}
	switch e.Details {
	case "lease_lost", "not_found":
		log.Info("the mesh has taken a task back")
		w.drop(a)
	case "unavailable", "storage_full":
		if message.messageType == "task_accept" {
			w.acceptLater(a, e)
		} // progress is sent again anyway
	default:
		log.Warn("the mesh refuses a message", "type", message.messageType, "message", cut(e.Message, 500))
	}
}

func (w *worker) resultRefused(r *result, e errorReply) {
	switch e.Details {
	case "unavailable", "storage_full":
		w.sendLater(r, retryAfter(e.RetryAfter))
	case "conflict", "invalid_request":
		if r.payload.OK {
			r.payload = failure(r.payload.attemptRef, errors.New("the mesh does not take the result: "+e.Details))
			w.sendResult(r)
			return
		}
		fallthrough
	default:
		w.results.drop(func(kept *result) bool { return kept == r })
		w.checkDrained()
	}
}
