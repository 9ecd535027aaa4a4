#ifndef SIM_CAPTURE_CDP_READER_H_
#define SIM_CAPTURE_CDP_READER_H_

#include "sim/capture/capture.h"

namespace presence::sim {

// Reads the sockets of a log of the Chrome DevTools Protocol, which is `capture.text`: its events
// about WebSockets ("Network.webSocketFrameReceived" and so on) as JSON, one after the other or in
// an array, as such, as their parameters alone, or inside what a driver of the browser wraps around
// them, text or object. Other events, and words between them, are passed over.
void ReadCdpEvents(Capture& capture);

}  // namespace presence::sim

#endif  // SIM_CAPTURE_CDP_READER_H_
