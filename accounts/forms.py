"""Sign-up and log-in, the same for pages and for the API."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm

from accounts.models import User

LONGEST_PASSWORD = 128


class SignUpForm(forms.ModelForm):
    """A new person: user name, optional e-mail address, one password."""

    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("username", "email")
        widgets = {"username": forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})}

    def clean(self) -> dict[str, Any]:
        """The password is held against the person's own name and address too."""
        data = super().clean() or {}
        if password := data.get("password"):
            person = User(username=data.get("username", ""), email=data.get("email", ""))
            try:
                password_validation.validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        user.set_password(self.cleaned_data["password"])
        if commit:
            user.save()
        return user


class LogInForm(AuthenticationForm):
    """Django's own, with the one sentence for a wrong name and a wrong password alike."""

    error_messages = {
        "invalid_login": "User name or password is wrong.",
        "inactive": "User name or password is wrong.",
    }
