import TestSupport
import TransportStream

/// What a program map says; the programs of the machine are tools here.
typealias Program = TransportStream.Program
typealias Tool = TestSupport.Program
