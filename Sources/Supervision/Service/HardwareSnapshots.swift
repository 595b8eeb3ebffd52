import CapabilityProbe
import EncoderSelection
import Status

extension GPUSnapshot {
    init(_ device: EncoderPool.Device) {
        let gpu = device.gpu
        self.init(
            slot: gpu.slot, driver: gpu.driver,
            name: [gpu.vendorName, gpu.deviceName].compactMap { $0 }.joined(separator: " "),
            node: gpu.renderNode ?? gpu.cardNode ?? "", state: State(device.state), trouble: device.reason)
    }
}

extension GPUSnapshot.State {
    init(_ state: EncoderPool.Device.State) {
        self =
            switch state {
            case .ready: .ready
            case .quarantined: .quarantined
            case .gone: .gone
            }
    }
}

extension EncoderSnapshot {
    init(_ candidate: EncoderCandidate, _ standing: Standing) {
        self.init(
            name: candidate.name, gpu: candidate.gpu, isUsable: standing.isUsable, trouble: standing.reason?.sentence)
    }
}
