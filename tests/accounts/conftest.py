"""Alice has an account; strangers do not."""

import pytest

from accounts.models import User

PASSWORD = "a long enough pass-phrase"


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.org", PASSWORD)
