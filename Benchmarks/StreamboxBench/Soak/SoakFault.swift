import ArgumentParser

/// A fault of the box or of its surroundings.
enum SoakFault: String, CaseIterable, ExpressibleByArgument {
    case encoderKilled, encoderCrashed, encoderHung
    case handedOver, handedToSoftware, reloaded
    case gpuFailed, gpuHung, gpuPulled, gpuWedged
    case sourceLost, audioKilled, audioHung
    case targetDropped, targetRefused, publisherKilled, publisherHung, targetStopped
}
