"""What several test files share and is no fixture; fixtures stand in conftest.py."""
