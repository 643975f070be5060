"""Sign-up and log-in, the same for pages and for the API."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.db import IntegrityError, transaction

from accounts.models import User

LONGEST_PASSWORD = 128
NAME_TAKEN = "This user name is taken."
EMAIL_TAKEN = "This e-mail address is in use."


class SignUpForm(forms.ModelForm):  # type: ignore[type-arg]
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

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(NAME_TAKEN)
        return name

    def clean_email(self) -> str:
        return free_email(self.cleaned_data["email"])

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

    def create(self) -> User | None:
        """The new person; None, with the fault at the field, when another sign-up took the name a moment ago."""
        try:
            with transaction.atomic():
                return self.save()
        except IntegrityError:
            self.add_error("username", NAME_TAKEN)
            return None


def free_email(address: str, of: User | None = None) -> str:
    """The address as given. Raises ValidationError when another person has it, in whatever case."""
    others = User.objects.exclude(pk=of.pk) if of else User.objects.all()
    if address and others.filter(email__iexact=address).exists():
        raise forms.ValidationError(EMAIL_TAKEN)
    return address


class LogInForm(AuthenticationForm):
    """Django's own, with the one sentence for a wrong name and a wrong password alike."""

    error_messages = {
        "invalid_login": "User name or password is wrong.",
        "inactive": "User name or password is wrong.",
    }
