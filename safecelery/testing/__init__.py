"""What tests, the demo and users' own suites need: real servers, attacks, contract suites."""
