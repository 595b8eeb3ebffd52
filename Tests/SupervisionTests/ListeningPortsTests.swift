import Testing

@testable import Supervision

@Suite struct ListeningPortsTests {
    @Test("a port counts as listened on in state 0A alone, whatever the address")
    func states() {
        let listening = "   0: 0100007F:078F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1"
        let connected = "   1: 0100007F:078F 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 1 1"
        let six = "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000"
        #expect(ListeningPorts.isListening(listening, port: 1935))
        #expect(!ListeningPorts.isListening(listening, port: 1936))
        #expect(!ListeningPorts.isListening(connected, port: 1935))
        #expect(ListeningPorts.isListening(six, port: 8080))
        #expect(!ListeningPorts.isListening("  sl  local_address rem_address   st", port: 0))
    }
}
