import ArgumentParser

/// What befalls the box.
enum SoakFault: String, CaseIterable, ExpressibleByArgument {
    case encoderKilled, encoderCrashed, encoderHung
    case handedOver, handedToSoftware, reloaded
    case gpuFailed, gpuHung, gpuPulled, gpuWedged
    case sourceLost, soundKilled, soundHung
    case targetDropped, targetRefused, publisherKilled, publisherHung, targetStopped
}
