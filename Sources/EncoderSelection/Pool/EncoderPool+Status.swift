import BoxConfiguration
package import CapabilityProbe
import MediaTypes

/// The state of the devices and encoders, for the status.
extension EncoderPool {
    /// The state of a GPU.
    package struct Device: Sendable, Hashable {
        package enum State: String, Sendable, Hashable, CaseIterable {
            case ready, quarantined, gone
        }
        package var gpu: GPU
        package var state: State
        /// Why the GPU cannot be used, for display. `nil` if it can be used, or if no group would use it.
        package var reason: String?
    }

    package var devices: [Device] {
        catalogue.gpus.map { gpu in
            let isAskedFor = groups.values.contains { group in
                EncoderSelector(catalogue: catalogue, order: order).candidates(for: group.encoding).contains {
                    $0.gpu == gpu.slot
                }
            }
            let state: Device.State =
                catalogue.gone.contains(gpu.slot)
                ? .gone : rests[gpu.slot] != nil && gpu.accessProblem == nil ? .quarantined : .ready
            guard isAskedFor else { return Device(gpu: gpu, state: state) }
            if state == .gone { return Device(gpu: gpu, state: state, reason: Self.removal) }
            return Device(gpu: gpu, state: state, reason: gpu.accessProblem ?? rests[gpu.slot]?.reason.sentence)
        }
    }

    /// The candidates of every family for the codecs of the groups, with the best standing for one of the groups.
    package var encoders: [(candidate: EncoderCandidate, standing: Standing)] {
        let codecs = VideoCodec.allCases.filter { codec in groups.values.contains { $0.encoding.codec == codec } }
        let candidates = EncoderFamily.allCases.flatMap { family in codecs.flatMap { catalogue.candidates(family, $0) }
        }
        return candidates.map { candidate in
            let standings = groups.filter { $0.value.encoding.codec == candidate.codec }.keys.sorted().map {
                standing(of: candidate, for: $0)
            }
            return (candidate, standings.first { $0.isUsable } ?? standings.first { $0.hasFailed } ?? .untried)
        }
    }
}
