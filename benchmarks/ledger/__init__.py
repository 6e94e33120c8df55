"""What verification finds in changed copies, and what trees and proofs cost."""
